import {
  type AliasableExpression,
  type Expression,
  ExpressionWrapper,
  type OperationNode,
  RawNode,
  SelectQueryNode,
  type Simplify,
} from "kysely";
import { InvalidValueError } from "../../errors/value.ts";

/** A query whose rows are nested in a column: as a list, or its one row as an object. */
export interface NestedRows {
  readonly query: SelectQueryNode;
  readonly shape: "array" | "object";
}

const nested = new WeakMap<OperationNode, NestedRows>();

/**
 * The rows of a query as a list in one column, on every database; their values are converted as everywhere, which JSON
 * alone would not do. Like the helpers of `kysely/helpers`, for all of them.
 *
 * On MySQL and MariaDB the query may have an order, but no limit, `distinct` or groups of its own.
 *
 * @example
 * db.selectFrom(User).select((eb) => [
 *   "user.name",
 *   jsonArrayFrom(eb.selectFrom(Login).select(["login.at"]).whereRef("login.userId", "=", "user.id").orderBy("login.at")).as("logins"),
 * ])
 *
 * @see SQLAlchemy: `func.json_agg`
 */
export function jsonArrayFrom<O>(query: Expression<O>): AliasableExpression<Simplify<O>[]> {
  return nestedRows(query, "array");
}

/**
 * The one row of a query as an object in one column, or null without a row; see {@link jsonArrayFrom}.
 *
 * @example
 * db.selectFrom(User).select((eb) =>
 *   jsonObjectFrom(eb.selectFrom(Login).select(["login.at"]).whereRef("login.userId", "=", "user.id").orderBy("login.at", "desc").limit(1)).as("last"))
 */
export function jsonObjectFrom<O>(query: Expression<O>): AliasableExpression<Simplify<O> | null> {
  return nestedRows(query, "object");
}

/** @internal what an expression nests, if it does */
export function nestedIn(node: RawNode): NestedRows | undefined {
  return nested.get(node);
}

function nestedRows<T>(query: Expression<unknown>, shape: NestedRows["shape"]): AliasableExpression<T> {
  const node = query.toOperationNode();
  if (!SelectQueryNode.is(node))
    throw new InvalidValueError("Expected a select whose rows are nested, but got another statement.");
  const raw = RawNode.create(["(", ")"], [node]);
  nested.set(raw, { query: node, shape });
  return new ExpressionWrapper<unknown, never, T>(raw);
}
