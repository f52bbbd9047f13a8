import type { BindKey } from "../../../src/index.ts";
import { isList, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";
import type { NamedTable, SchemaFacts } from "../schema/facts.ts";

/** Where a statement runs by design.md: on the one bind of all its tables. */
export type Route =
  | { readonly kind: "one"; readonly bind: BindKey }
  | { readonly kind: "cross" }
  | { readonly kind: "unbound"; readonly bind: BindKey };

/** Every table that a statement names, in order of appearance, each once. */
export function tablesIn(statement: Json | undefined, facts: SchemaFacts): NamedTable[] {
  const tables = new Map<string, NamedTable>();
  for (const name of namesIn(statement)) {
    const table = facts.find(name.split(".")[0]!);
    const isColumn = name.includes(".") && table?.columns.some((column) => column.name === name.split(".")[1]) === true;
    if (table !== undefined && (isColumn || !name.includes("."))) tables.set(`${table.bind}/${table.table}`, table);
  }
  return [...tables.values()];
}

/** Where a step's statement, and what is named beside it, has to run. */
export function routeOf(step: JsonObject, facts: SchemaFacts, configured: readonly BindKey[]): Route {
  const named = [
    ...tablesIn(step["stmt"], facts),
    ...tablesIn(step["clause"], facts),
    ...tablesIn(step["mapper"] ?? step["model"], facts),
  ];
  const binds = new Set<BindKey>(named.map(({ bind }) => bind));
  for (const bind of bindsBeside(step["bind_arguments"], facts)) binds.add(bind);
  const [bind = null, second] = binds;
  if (second !== undefined) return { kind: "cross" };
  return configured.includes(bind) ? { kind: "one", bind } : { kind: "unbound", bind };
}

/** Whether a statement is one of the original's ORM: it names a model, not only tables. */
export function namesModels(statement: Json | undefined): boolean {
  return [...namesIn(statement)].some((name) => !name.startsWith("#") && !name.startsWith("@"));
}

function bindsBeside(given: Json | undefined, facts: SchemaFacts): BindKey[] {
  const key = memberOf(given, "bind") ?? memberOf(given, "bind_key");
  if (typeof key === "string") return [keyOf(key)];
  return [...tablesIn(memberOf(given, "mapper"), facts), ...tablesIn(memberOf(given, "clause"), facts)].map(
    ({ bind }) => bind,
  );
}

/** Members whose text names models, tables and columns; text in others is a value. */
const NAMING = new Set([
  "select",
  "from",
  "to",
  "on",
  "order_by",
  "insert",
  "update",
  "delete",
  "count",
  "max",
  "alias",
  "aliased_subquery",
  "model",
]);

function* namesIn(value: Json | undefined, names = true): IterableIterator<string> {
  if (typeof value === "string") {
    if (names) yield value.replace(/^-/, "");
  } else if (isList(value)) {
    for (const one of value) yield* namesIn(one, names);
  } else if (isObject(value)) {
    for (const [name, member] of Object.entries(value)) {
      if (name === "where") yield* namesInConditions(member);
      else yield* namesIn(member, NAMING.has(name));
    }
  }
}

/** Text on a condition's right side may be a value: what has a point may be a column, and is looked up. */
function* namesInConditions(conditions: Json): IterableIterator<string> {
  for (const condition of isList(conditions) ? conditions : []) {
    const [left, , right] = isList(condition) ? condition : [];
    yield* namesIn(left);
    if (typeof right !== "string" || right.includes(".")) yield* namesIn(right, true);
  }
}
