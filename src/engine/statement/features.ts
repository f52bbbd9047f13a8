import type { OperationNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { Engine } from "../engine.ts";
import { featuresOf } from "./used-features.ts";

/** Parts of Kysely's form that some databases lack, and what to use instead. */
const INSTEAD = {
  mergeInto: "use onConflict, or on MySQL and MariaDB onDuplicateKeyUpdate",
  replaceInto: "use onConflict",
  onConflict: "use onDuplicateKeyUpdate, or ignore()",
  "onConflict by constraint": "name its columns with columns([…])",
  "onConflict with an update and no columns": "name the columns of a unique key with columns([…])",
  onDuplicateKeyUpdate: "use onConflict",
  "insert ignore": "use onConflict",
  "insert or …": "use onConflict, or ignore() to skip conflicting rows",
  defaultValues: "use values({})",
  distinctOn: "number the rows with a window, and take the first of each",
  top: "use limit, or for a write a condition with a subquery",
  fetch: "use limit",
  "offset without limit": "add a limit",
  "limit and orderBy of a write": "use a condition with a subquery that has them",
  output: "use returning, or select the rows afterwards",
  intersectAll: "use intersect, or number the rows with a window",
  exceptAll: "use except, or number the rows with a window",
  "parentheses around a part of a union": "make the part a subquery: selectFrom(part.as(…))",
  "nullsFirst and nullsLast": "order by whether the value is null first: orderBy(sql`… is null`)",
  filterWhere: "put a case into the function",
  "countAll of a table": "count a column of it that is never null",
  "orderBy in this aggregate function": "order the rows in a subquery or a window",
  withinGroup: "number the rows with a window",
  "fn.jsonAgg and fn.toJson": "use jsonArrayFrom and jsonObjectFrom",
  "fn.any": "use in with the subquery",
  "fn.any of a list": "use in, or exists with a subquery",
  "a lateral join": "use a subquery among the selections, or join a subquery that numbers its rows with a window",
  "crossApply and outerApply": "use crossJoinLateral and leftJoinLateral where the database has them, or a subquery",
  "a full join": "unite a left join and a right join",
  "materialized and notMaterialized": "leave it out",
  "a write in a common table expression": "run the statements one after the other in a transaction",
  "with before an update or delete": "put the query into the condition as a subquery",
  "update … from": "name the tables in updateTable([…, …])",
  "an update of several tables": "use from(…), or one update for each table",
  "delete … using": "use a subquery",
  "a delete from several tables": "use one delete for each table",
  "a join in a delete": "use a condition with a subquery, or using(…) where the database has it",
  "an alias of the table to delete from": "leave the alias out",
  "row locks within a statement": "leave them out: a transaction that writes has the whole database to itself",
  "locks of keys alone": "use forUpdate() or forShare()",
  "row locks of chosen tables": "leave the tables out, which locks the rows of all",
  "forShare with skipLocked or noWait": "use forUpdate()",
  "skipLocked and noWait without a lock": "add forUpdate() or forShare()",
  "-> with keys": 'use ref(column, "->$").key(…)',
  "->$": 'use ref(column, "->").key(…), or fn("json_extract", …)',
  "-> and ->>": 'use fn("json_value", …) for a text or number, fn("json_extract", …) for any value',
  "casts to this type": "use char, signed, unsigned, decimal(p, s), double, date, datetime, time or binary",
  "formats and options of explain": "use explain() alone",
  "between symmetric": "use between with the lower bound first",
  ilike: "use like on lower(…)",
  "||": 'use fn("concat", […]); there it means "or"',
  "#": "use sql for the operator of this database; there it begins a comment",
  "==": "use =",
  match: "use sql for a full-text search, or like",
  regexp: "use ~",
  "operators of this name": "use sql for the operator or function that this database has",
} as const;

/** Something that not every database can do. */
export type Feature = keyof typeof INSTEAD;

/**
 * Refuses what a database cannot do before it is sent.
 *
 * @returns what the statement needs that only some servers of the family have, for the connection to check
 * @throws {UnsupportedError}
 */
export function requireFeatures(engine: Engine, node: OperationNode): readonly Feature[] {
  const used = featuresOf(node, engine.family);
  if (used.length === 0) return used;
  for (const feature of used) if (engine.family.lacks.has(feature)) throw lacking(engine, engine.family.label, feature);
  const { lacksHere } = engine;
  if (lacksHere !== undefined) {
    const refusal = lackedFeature(engine, used);
    if (refusal !== undefined) throw refusal;
  }
  return used.filter((feature) => engine.family.lacksInPart?.has(feature));
}

/** The error for a statement that needs something that the server of an engine lacks; undefined for others. */
export function lackedFeature(engine: Engine, needs: readonly Feature[]): UnsupportedError | undefined {
  const { lacksHere } = engine;
  const lacked = needs.find((feature) => lacksHere?.features.has(feature));
  return lacked === undefined ? undefined : lacking(engine, lacksHere!.server, lacked);
}

function lacking({ bindKey }: Engine, label: string, feature: Feature): UnsupportedError {
  return new UnsupportedError(
    `${label} (${bindLabel(bindKey)}) has no ${feature}; ${INSTEAD[feature]}. Nothing was sent.`,
    { bindKey },
  );
}
