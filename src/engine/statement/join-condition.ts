import { AliasNode, IdentifierNode, type JoinNode, type JoinType, TableNode } from "kysely";
import { InvalidValueError } from "../../errors/value.ts";

/** Joins that pair rows by a condition; without one, some databases pair every row with every other. */
const CONDITIONAL: ReadonlySet<JoinType> = new Set<JoinType>([
  "InnerJoin",
  "LeftJoin",
  "RightJoin",
  "FullJoin",
  "LateralInnerJoin",
  "LateralLeftJoin",
]);

/**
 * Refuses a join that has no condition.
 *
 * @throws {InvalidValueError}
 */
export function requireJoinCondition({ joinType, table, on }: JoinNode): void {
  if (on !== undefined || !CONDITIONAL.has(joinType)) return;
  throw new InvalidValueError(
    `The join of ${nameOf(table)} has no condition. Name two columns, \`innerJoin("post", "post.userId", "user.id")\`, or use ` +
      "`on…` in its callback; for every pair of rows use `crossJoin`, or `onTrue()`.",
  );
}

function nameOf(table: JoinNode["table"]): string {
  const named = AliasNode.is(table) ? table.alias : table;
  if (TableNode.is(named)) return `"${named.table.identifier.name}"`;
  return IdentifierNode.is(named) ? `"${named.name}"` : "a subquery";
}
