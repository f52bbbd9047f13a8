import { SchemaError } from "../../errors/schema.ts";

/** The kinds of relations. */
export type RelationKind = "belongsTo" | "hasOne" | "hasMany" | "manyToMany" | "view";

/** Columns of two sides: one by its own name, or several by those of the other side. */
export type SaidColumns = string | Readonly<Record<string, string>>;

/** The facts about a relation, before its target is known. */
export interface RelationFact {
  readonly kind: RelationKind;
  readonly target: () => unknown;
  readonly columns: SaidColumns;
  readonly link: (() => unknown) | undefined;
  readonly statement: (() => unknown) | undefined;
  readonly missing: "null" | undefined;
  /** Whether a relation to one entity must be over columns whose values are unique. */
  readonly isUnique: boolean;
  readonly orderBy: readonly string[];
}

type Given = Readonly<Record<string, unknown>>;

const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  belongsTo: ["missing"],
  hasMany: ["orderBy"],
  hasOne: ["unique"],
};

/** What `db.relate` hands to its callback. */
export const relater = {
  belongsTo: (target: unknown, columns: unknown, options: unknown) => direct("belongsTo", target, columns, options),
  hasMany: (target: unknown, columns: unknown, options: unknown) => direct("hasMany", target, columns, options),
  hasOne: (target: unknown, columns: unknown, options: unknown) => direct("hasOne", target, columns, options),
  manyToMany: (target: unknown, link: unknown, columns: unknown): RelationFact => ({
    ...direct("manyToMany", target, columns, undefined),
    link: thunk(link, "manyToMany"),
  }),
  view: (target: unknown, columns: unknown, statement: unknown): RelationFact => ({
    ...direct("view", target, columns, undefined),
    statement: thunk(statement, "view"),
  }),
};

function direct(kind: RelationKind, target: unknown, columns: unknown, given: unknown): RelationFact {
  const { missing, orderBy, unique = true } = optionsOf(kind, given);
  if (missing !== undefined && missing !== "null")
    throw new SchemaError('Expected the option missing of belongsTo to be "null".');
  if (typeof unique !== "boolean") throw new SchemaError("Expected the option unique of hasOne to be true or false.");
  return {
    kind,
    target: thunk(target, kind),
    columns: saidColumns(columns, kind),
    link: undefined,
    statement: undefined,
    missing,
    isUnique: unique,
    orderBy: orderBy === undefined ? [] : [orderBy].flat().map(String),
  };
}

function optionsOf(kind: RelationKind, given: unknown): Given {
  if (given === undefined) return {};
  const known = OPTIONS[kind] ?? [];
  if (typeof given !== "object" || given === null)
    throw new SchemaError(`Expected the options of ${kind} to be an object.`);
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown === undefined) return given as Given;
  throw new SchemaError(`There is no option "${unknown}" of ${kind}.`);
}

function thunk(given: unknown, kind: RelationKind): () => unknown {
  if (typeof given === "function" && !("prototype" in given && given.prototype !== undefined))
    return given as () => unknown;
  throw new SchemaError(
    `Expected ${kind} to get functions, such as \`() => Post\`: modules that import each other have their classes only later.`,
  );
}

function saidColumns(given: unknown, kind: RelationKind): SaidColumns {
  if (typeof given === "string") return given;
  const isRecord = typeof given === "object" && given !== null && Object.keys(given).length > 0;
  if (isRecord && Object.values(given).every((name) => typeof name === "string")) return { ...given };
  throw new SchemaError(`Expected the columns of ${kind} to be a name, or an object of names.`);
}
