import type { JoinBuilder } from "kysely";
import type { AnyTable } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { asList, asText, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import type { Scope, Source } from "./scope.ts";
import { buildSelect } from "./select-statement.ts";

/** What `select(Model)`, Kysely's select and its update and delete have in common. */
interface Refinable {
  where(...condition: readonly unknown[]): Refinable;
  whereRef(left: string, operator: string, right: string): Refinable;
  innerJoin(...join: readonly unknown[]): Refinable;
  orderBy(column: string, direction: "asc" | "desc"): Refinable;
  limit(rows: number): Refinable;
}

/**
 * Adds a statement's joins, conditions, order and limit.
 *
 * @param joined sources beside the statement's first, to be joined to it without a condition
 */
export function refine<B>(builder: B, fields: Fields, scope: Scope, joined: readonly Source[]): B {
  let refined = builder as unknown as Refinable;
  for (const { expression } of joined) {
    refined = refined.innerJoin(expression, (join: JoinBuilder<never, never>) => join.onTrue());
  }
  for (const value of fields.list("join")) {
    const join = new Fields(value, "a join");
    const [left, right] = join.texts("on");
    refined = refined.innerJoin(
      scope.source(join.text("to")).expression as AnyTable,
      scope.column(left!),
      scope.column(right!),
    );
    join.end();
  }
  for (const condition of fields.list("where")) refined = restrict(refined, asList(condition, "a condition"), scope);
  for (const column of fields.texts("order_by")) {
    const descending = column.startsWith("-");
    refined = refined.orderBy(scope.column(descending ? column.slice(1) : column), descending ? "desc" : "asc");
  }
  const limit = fields.json("limit");
  if (limit !== undefined) refined = refined.limit(limit as number);
  return refined as unknown as B;
}

function restrict(builder: Refinable, [left, operator, right]: readonly Json[], scope: Scope): Refinable {
  const column = scope.column(asText(left, "a condition's left side"));
  const sign = operator === "==" ? "=" : asText(operator, "an operator");
  if (typeof right === "string" && isColumn(right, scope)) return builder.whereRef(column, sign, scope.column(right));
  return builder.where(column, sign, isObject(right) ? buildSelect(right, scope, false).builder : right);
}

function isColumn(text: string, scope: Scope): boolean {
  return text.includes(".") && scope.names(text);
}

/** What a select reads from by what it names, without what it joins: each once, in order of appearance. */
export function sourcesIn(statement: JsonObject, scope: Scope): Source[] {
  const names: string[] = [];
  for (const item of asList(statement["select"] ?? [], "select")) {
    if (typeof item === "string") names.push(item);
    else
      for (const kind of ["count", "max"])
        if (typeof memberOf(item, kind) === "string") names.push(String(memberOf(item, kind)));
  }
  for (const condition of asList(statement["where"] ?? [], "where")) {
    const [left, , right] = asList(condition, "a condition");
    for (const side of [left, right]) if (typeof side === "string" && isColumn(side, scope)) names.push(side);
  }
  const joined = asList(statement["join"] ?? [], "join").map(
    (join) => scope.source(asText(memberOf(join, "to"), "join.to")).alias,
  );
  const from = asList(statement["from"] ?? [], "from").map((name) => scope.source(asText(name, "from")).alias);
  const found = new Map<string, Source>();
  for (const name of names) {
    const source = scope.source(name);
    if (!joined.includes(source.alias) && !from.includes(source.alias)) found.set(source.alias, source);
  }
  return [...found.values()];
}
