import { type BindKey, bindLabel } from "../../bind-key.ts";
import { quotedName } from "../../errors/name-list.ts";
import { RelationError } from "../../errors/relation.ts";
import { SchemaError } from "../../errors/schema.ts";
import { type MappedProperty, type Mapper, mapperOfClass } from "../mapper.ts";
import type { RelationFact, RelationKind, SaidColumns } from "./relation-fact.ts";
import { linkOf, type RelationLink } from "./relation-link.ts";
import { areUnique, quotedNames, refused, requireAlike } from "./relation-sides.ts";

export type { RelationLink } from "./relation-link.ts";

/** Two properties that hold the same value: one of the class that has the relation, one of the target. */
export interface RelationPair {
  readonly own: MappedProperty;
  readonly other: MappedProperty;
}

/** A column by which the entities of a relation are ordered. */
export interface RelationOrder {
  readonly property: string;
  readonly direction: "asc" | "desc";
}

/**
 * How the entities of one class lead to those of another.
 *
 * @see SQLAlchemy: `RelationshipProperty`
 */
export class Relation {
  readonly name: string;
  readonly kind: RelationKind;
  /** The class that has the relation. */
  readonly owner: Mapper;
  readonly target: Mapper;
  /** The properties of both sides; empty where a link is between. */
  readonly pairs: readonly RelationPair[];
  readonly link: RelationLink | undefined;
  /** Makes the select that says which of the target's rows belong to it; undefined where all do. */
  readonly statement: (() => unknown) | undefined;
  /** Whether a key that no row has reads as null. */
  readonly missingIsNull: boolean;
  readonly orderBy: readonly RelationOrder[];

  /** @throws {SchemaError} if the fact does not fit the models */
  constructor(name: string, owner: Mapper, fact: RelationFact) {
    this.name = name;
    this.kind = fact.kind;
    this.owner = owner;
    this.target = targetOf(name, owner, fact);
    this.link = fact.link === undefined ? undefined : linkOf(this, fact);
    this.pairs = this.link === undefined ? pairsOf(this, fact.columns) : [];
    this.statement = fact.statement;
    this.missingIsNull = fact.missing === "null";
    this.orderBy = fact.orderBy.map((column) => orderOf(this, column));
    if (this.isToOne && fact.isUnique) requireUnique(this);
  }

  /** Whether it leads to one entity at most. */
  get isToOne(): boolean {
    return this.kind === "belongsTo" || this.kind === "hasOne";
  }

  /** Whether the target is found by its primary key. */
  get isByKey(): boolean {
    const { key } = this.target;
    return (
      this.kind === "belongsTo" &&
      key.length === this.pairs.length &&
      key.every((property) => this.pairs.some(({ other }) => other === property))
    );
  }

  /** The relation as messages write it. */
  get label(): string {
    return `${classNameOf(this.owner)}.${this.name}`;
  }

  /** The facts of an error about it. */
  get place(): { readonly relation: string; readonly entity: string; readonly bindKey: BindKey } {
    return { relation: this.name, entity: classNameOf(this.owner), bindKey: this.owner.table.bindKey };
  }
}

/** The relations of a class and its parents by name, each resolved when it is first asked for. */
export class Relations {
  readonly owner: Mapper;
  readonly #parent: () => Relations | undefined;
  readonly #facts = new Map<string, RelationFact>();
  readonly #resolved = new Map<string, Relation>();

  constructor(owner: Mapper, parent: () => Relations | undefined) {
    this.owner = owner;
    this.#parent = parent;
  }

  /** The names, the parents' first. */
  get names(): readonly string[] {
    return [...(this.#parent()?.names ?? []), ...this.#facts.keys()];
  }

  /** The names of those that the parents have not. */
  get ownNames(): Iterable<string> {
    return this.#facts.keys();
  }

  /** @throws {SchemaError} if the class or one below it has a property or relation of that name */
  add(name: string, fact: RelationFact): void {
    const { label, table } = this.owner;
    const { bindKey } = table;
    for (const mapper of this.owner.family()) {
      const what = mapper.propertyNames.has(name)
        ? "column"
        : relationsOf(mapper).names.includes(name)
          ? "relation"
          : undefined;
      if (what === undefined) continue;
      const whose = mapper === this.owner ? "it" : mapper.label;
      throw new SchemaError(
        `Cannot relate ${label}: ${whose} has a ${what} "${name}" already, and a relation needs a name of its own.`,
        { bindKey },
      );
    }
    this.#facts.set(name, fact);
  }

  /** The relation of a name, if there is one. */
  get(name: string): Relation | undefined {
    const known = this.#resolved.get(name);
    if (known !== undefined) return known;
    const fact = this.#facts.get(name);
    if (fact === undefined) return this.#parent()?.get(name);
    const relation = new Relation(name, this.owner, fact);
    requireOnlyOne(relation, this.#known());
    this.#resolved.set(name, relation);
    return relation;
  }

  /** Those that are resolved, the parents' included. */
  *#known(): Iterable<Relation> {
    const parent = this.#parent();
    if (parent !== undefined) yield* parent.#known();
    yield* this.#resolved.values();
  }
}

/** Two relations over the same columns would be written by both. */
function requireOnlyOne(relation: Relation, others: Iterable<Relation>): void {
  if (relation.kind === "view") return;
  for (const other of others) {
    if (other.kind === "view" || other.target !== relation.target) continue;
    if (JSON.stringify(columnsOf(other)) !== JSON.stringify(columnsOf(relation))) continue;
    throw new SchemaError(
      `Cannot have both ${other.label} and ${relation.label}: they are over the same columns. Make one of them a \`view\`.`,
      { bindKey: relation.owner.table.bindKey },
    );
  }
}

function columnsOf({ pairs, link }: Relation): readonly string[] {
  if (link === undefined) return pairs.map(({ own, other }) => `${own.name}:${other.name}`).sort();
  const ends = [...link.from, ...link.to].map(({ column }) => column.property);
  return [link.table.fullName, ...ends];
}

function classNameOf(mapper: Mapper): string {
  return mapper.isRegistered ? mapper.entityClass.name : mapper.name;
}

function targetOf(name: string, owner: Mapper, { target }: RelationFact): Mapper {
  // A class that is not defined yet throws here, and is asked for again.
  const given = target();
  try {
    return mapperOfClass(given);
  } catch (error) {
    throw new SchemaError(
      `Cannot relate ${classNameOf(owner)}.${name} (${bindLabel(owner.table.bindKey)}): its target is not a model. ${(error as Error).message}`,
      { bindKey: owner.table.bindKey },
    );
  }
}

function propertyOf(relation: Relation, mapper: Mapper, name: string): MappedProperty {
  const found = mapper.properties.find((property) => property.name === name);
  if (found !== undefined) return found;
  throw refused(
    relation,
    `${mapper.label} has no column "${name}". Its columns: ${quotedNames(mapper.propertyNames)}.`,
  );
}

function pairsOf(relation: Relation, columns: SaidColumns): readonly RelationPair[] {
  const { kind, owner, target } = relation;
  const isChild = kind === "belongsTo";
  const [parent, child] = isChild ? [target, owner] : [owner, target];
  if (typeof columns === "string" && parent.key.length !== 1) {
    const names = parent.key.map(({ name }) => name);
    throw refused(
      relation,
      `the key of ${parent.label} has ${names.length} columns: give { ${names.map((name) => `${name}: "…"`).join(", ")} }.`,
    );
  }
  const said = typeof columns === "string" ? { [parent.key[0]!.name]: columns } : columns;
  return Object.entries(said).map(([ofParent, ofChild]) => {
    const [one, other] = [propertyOf(relation, parent, ofParent), propertyOf(relation, child, ofChild)];
    requireAlike(relation, one.column, other.column);
    return isChild ? { own: other, other: one } : { own: one, other };
  });
}

function orderOf(relation: Relation, said: string): RelationOrder {
  const isDescending = said.startsWith("-");
  const { name } = propertyOf(relation, relation.target, isDescending ? said.slice(1) : said);
  return { property: name, direction: isDescending ? "desc" : "asc" };
}

/** @throws {SchemaError} if several rows may have the same values */
function requireUnique(relation: Relation): void {
  const { key, tables, label } = relation.target;
  const names = relation.pairs.map(({ other }) => other.name);
  const keyNames = key.map(({ name }) => name);
  if (areUnique(keyNames, tables, names)) return;
  const way = relation.kind === "hasOne" ? ", or say `{ unique: false }` if the table is not yours to change" : "";
  throw refused(
    relation,
    `several rows of ${label} may have the same ${quotedNames(names)}. Make ${names.length === 1 ? "it" : "them"} unique${way}.`,
  );
}

const byMapper = new WeakMap<Mapper, Relations>();

/** The relations of a class and its parents. */
export function relationsOf(mapper: Mapper): Relations {
  let relations = byMapper.get(mapper);
  if (relations === undefined) {
    const { parent } = mapper;
    relations = new Relations(mapper, () => (parent === undefined ? undefined : relationsOf(parent)));
    byMapper.set(mapper, relations);
  }
  return relations;
}

/**
 * The relation of a name.
 *
 * @throws {RelationError} if the class has none of that name
 */
export function relationOf(mapper: Mapper, name: string): Relation {
  const relations = relationsOf(mapper);
  const found = relations.get(name);
  if (found !== undefined) return found;
  const { label, table } = mapper;
  throw new RelationError(`There is no relation ${quotedName(name)} of ${label}. ${knownRelations(mapper)}`, {
    relation: name,
    entity: mapper.name,
    bindKey: table.bindKey,
  });
}

/** The names of a class's relations, as a sentence. */
export function knownRelations(mapper: Mapper): string {
  const { names } = relationsOf(mapper);
  return names.length === 0 ? "It has none: `db.relate` says them." : `Its relations: ${quotedNames(names)}.`;
}
