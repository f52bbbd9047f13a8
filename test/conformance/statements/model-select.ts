import type { AnyModel, Page, PageOptions, Session } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { isList, isObject, type Json, type JsonObject } from "../read/json.ts";
import type { SchemaBuilder } from "../schema/builder.ts";
import { refine, sourcesIn } from "./conditions.ts";
import { Scope } from "./scope.ts";

/** A select of a model, of which the entities or some columns are read. */
export interface ModelSelect {
  select(columns: readonly string[]): ModelSelect;
  paginate(options: PageOptions): Promise<Page<object>>;
  firstOr404(options: { readonly description: string | undefined }): Promise<object>;
  oneOr404(options: { readonly description: string | undefined }): Promise<object>;
}

/** Builds a select that begins with a model, its table or columns of them; nothing for any other statement. */
export function modelSelect(statement: Json, session: Session, schema: SchemaBuilder): ModelSelect | undefined {
  if (!isObject(statement)) return undefined;
  const { select: items, from, with: definitions } = statement;
  if (!isList(items) || from !== undefined || definitions !== undefined) return undefined;
  const names = items.filter((item) => typeof item === "string");
  const models = new Set(names.map((name) => name.replace(/^#/, "").split(".")[0]!));
  const [name = ""] = models;
  if (names.length !== items.length || models.size !== 1 || !schema.facts.models.has(name)) return undefined;
  return refined(schema.model(name), names, statement, session, new Scope(schema));
}

function refined(
  model: AnyModel,
  names: readonly string[],
  statement: JsonObject,
  session: Session,
  scope: Scope,
): ModelSelect {
  const fields = new Fields(statement, "a select");
  const begun = session.select(model) as unknown as ModelSelect;
  const others = sourcesIn(statement, scope).filter(({ alias }) => alias !== model.tableName);
  const select = refine(begun, fields, scope, others);
  fields.ignore("select");
  fields.end();
  const columns = names.flatMap((name) => {
    if (name.includes(".")) return [scope.column(name)];
    return name.startsWith("#") ? scope.source(name).columns.map((column) => `${model.tableName}.${column}`) : [];
  });
  return columns.length === 0 ? select : select.select(columns);
}
