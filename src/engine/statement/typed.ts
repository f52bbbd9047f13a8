import { type AliasableExpression, type Expression, ExpressionWrapper, type OperationNode, RawNode } from "kysely";
import type { AnyColumn } from "../../schema/column.ts";
import { float } from "../../schema/types/float.ts";

const columns = new WeakMap<OperationNode, AnyColumn>();

/**
 * Says what an SQL expression holds, so that its values are converted as those of a column of that type are: in
 * results, and where a value stands opposite it.
 *
 * @param expression any Kysely expression
 * @param column the type, such as `timestamp()`, or a column of a table
 *
 * @example
 * db.selectFrom(User).select(typed(sql`now()`, timestamp()).as("now"))
 * db.selectFrom(User).where(typed(sql`lower(name)`, text()), "=", "ada")
 *
 * @see SQLAlchemy: `type_coerce`
 */
export function typed<C extends AnyColumn>(
  expression: Expression<unknown>,
  column: C,
): AliasableExpression<C["$types"]["select"]> {
  const node = RawNode.createWithChild(expression.toOperationNode());
  columns.set(node, column);
  return new ExpressionWrapper<unknown, never, C["$types"]["select"]>(node);
}

/**
 * A number that a decimal is in floating point, for SQL of your own: SQLite keeps decimals as text, which SQL text alone
 * neither compares with numbers nor calculates with.
 *
 * @param expression a `numeric` column, or what is calculated from some
 *
 * @example
 * db.selectFrom(Seat).select("id").where(sql<boolean>`${number(sql.ref("price"))} between ${1} and ${2}`)
 */
export function number(expression: Expression<unknown>): AliasableExpression<number> {
  return typed(expression, float());
}

/** @internal the column that an expression was said to be like */
export function columnOfTyped(node: RawNode): AnyColumn | undefined {
  return columns.get(node);
}
