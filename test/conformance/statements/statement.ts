import type { OperationNode, RawBuilder } from "kysely";
import { type AnyModel, type Entity, type Session, sql } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { FormatError, isList, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import type { SchemaBuilder } from "../schema/builder.ts";
import { refine, sourcesIn } from "./conditions.ts";
import { Scope } from "./scope.ts";
import { buildSelect, type Creator } from "./select-statement.ts";

/** Anything with a tree. */
interface WithTree {
  toOperationNode(): OperationNode;
}

/** A select of a model's entities. */
export interface EntitySelect extends WithTree {
  all(): Promise<Entity[]>;
  first(): Promise<Entity | null>;
  one(): Promise<Entity>;
  firstOr404(): Promise<Entity>;
  oneOrNull(): Promise<Entity | null>;
  oneOr404(): Promise<Entity>;
  count(): Promise<number>;
}

/** A statement of a case, built with multibind's API. */
export type Built =
  | { readonly kind: "entities"; readonly statement: EntitySelect }
  | {
      readonly kind: "rows";
      readonly statement: WithTree;
      readonly outputs: readonly string[];
      readonly counts: ReadonlySet<string>;
    }
  | {
      readonly kind: "write";
      readonly statement: WithTree;
      /** Does it as the update or delete of a model's select, where it is one; gives the number of rows. */
      readonly bulk?: () => Promise<number>;
    }
  | { readonly kind: "text"; readonly statement: RawBuilder<Record<string, unknown>> };

/** Builds a statement of a case. @throws {FormatError} on what this runner does not know */
export function buildStatement(statement: Json, session: Session, schema: SchemaBuilder, params?: Json): Built {
  const scope = new Scope(schema);
  if (!isObject(statement)) throw new FormatError("a statement is no object");
  if (statement["text"] !== undefined) return { kind: "text", statement: textOf(String(statement["text"]), params) };
  for (const verb of ["insert", "update", "delete"] as const) {
    if (statement[verb] !== undefined) return buildWrite(verb, statement, session, scope, params);
  }
  if (params !== undefined) throw new FormatError("a select with parameters");
  if (statement["from_text"] !== undefined)
    return { kind: "entities", statement: fromText(statement["from_text"], session, schema) };
  const model = entityOf(statement, schema);
  if (model !== undefined) return { kind: "entities", statement: entitySelect(model, statement, session, scope) };
  const { builder, outputs, counts } = buildSelect(statement, scope, true, session as unknown as Creator);
  return { kind: "rows", statement: builder, outputs, counts };
}

/** Entities of a model, read from SQL text. */
function fromText(value: Json, session: Session, schema: SchemaBuilder): EntitySelect {
  const fields = new Fields(value, "from_text");
  const select = session.select(schema.model(fields.text("model"))).fromSql(sql.raw(fields.text("sql")));
  fields.end();
  return select as unknown as EntitySelect;
}

/** The model whose entities a select reads, if that is all it selects. */
function entityOf(statement: JsonObject, schema: SchemaBuilder): AnyModel | undefined {
  const { select, from, with: definitions } = statement;
  if (!isList(select) || select.length !== 1 || from !== undefined || definitions !== undefined) return undefined;
  const [item] = select;
  return typeof item === "string" && schema.facts.models.has(item) ? schema.model(item) : undefined;
}

function entitySelect(model: AnyModel, statement: JsonObject, session: Session, scope: Scope): EntitySelect {
  const fields = new Fields(statement, "a select");
  const begun = session.select(model) as unknown as EntitySelect;
  const others = sourcesIn(statement, scope).filter(({ alias }) => alias !== model.tableName);
  const refined = refine(begun, fields, scope, others);
  fields.ignore("select");
  fields.end();
  return refined;
}

function buildWrite(
  verb: "insert" | "update" | "delete",
  statement: JsonObject,
  session: Session,
  scope: Scope,
  params: Json | undefined,
): Built {
  const fields = new Fields(statement, verb);
  const target = fields.text(verb);
  const into = target.startsWith("#") ? scope.table(target) : scope.schema.model(target);
  const values = fields.json("values");
  let builder: unknown;
  if (verb === "insert") {
    const rows = params ?? values ?? {};
    builder = session.insertInto(into).values(rows as never);
  } else {
    if (params !== undefined) throw new FormatError(`an ${verb} with parameters`);
    const begun =
      verb === "update"
        ? session.updateTable(into as never).set(plain(values) as never)
        : session.deleteFrom(into as never);
    builder = refine(begun, fields, scope, []);
  }
  fields.end();
  const built = { kind: "write", statement: builder as WithTree } as const;
  if (verb === "insert" || target.startsWith("#")) return built;
  return { ...built, bulk: () => bulkWrite(verb, statement, session.select(scope.schema.model(target)), scope) };
}

function bulkWrite(
  verb: "update" | "delete",
  statement: JsonObject,
  select: { update(values: never): Promise<number>; delete(): Promise<number> },
  scope: Scope,
): Promise<number> {
  const refined = refine(select, new Fields(statement, verb), scope, []);
  return verb === "delete" ? refined.delete() : refined.update(plain(statement["values"]) as never);
}

function plain(values: Json | undefined): JsonObject {
  if (isObject(values) && !Object.values(values).some((value) => isObject(value))) return values;
  throw new FormatError("an update to something that is no plain value");
}

/** SQL text with its named parameters. */
function textOf(text: string, params: Json | undefined): RawBuilder<Record<string, unknown>> {
  if (params === undefined) return sql.raw(text);
  const [first = "", ...parts] = text.split(/:(?=[a-z_]\w*)/i);
  const pieces = parts.map((part) => {
    const name = /^\w+/.exec(part)![0];
    return sql`${memberOf(params, name)}${sql.raw(part.slice(name.length))}`;
  });
  return sql<Record<string, unknown>>`${sql.raw(first)}${sql.join(pieces, sql``)}`;
}
