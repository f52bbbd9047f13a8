import { type QueryNode, ValuesNode } from "kysely";
import type { BindKey } from "../../bind-key.ts";
import { InvalidStatementError } from "../../errors/statement.ts";

/**
 * Checks that a statement which writes says what to write: databases call what is sent otherwise a syntax error.
 *
 * @throws {InvalidStatementError} if it does not
 */
export function requireWholeWrite(node: QueryNode, bindKey: BindKey): void {
  const missing = missingPart(node);
  if (missing !== undefined) throw new InvalidStatementError(`Cannot send ${missing}`, { bindKey });
}

function missingPart(node: QueryNode): string | undefined {
  switch (node.kind) {
    case "InsertQueryNode": {
      const { values, defaultValues } = node;
      if (values === undefined && defaultValues !== true)
        return "an insert without values. Add `.values(…)`, `.expression(…)` or `.defaultValues()`.";
      if (values !== undefined && ValuesNode.is(values) && values.values.length === 0)
        return "an insert of no rows: `values([])` got an empty list. Leave the statement out when the list is empty.";
      return undefined;
    }
    case "UpdateQueryNode":
      if (node.updates !== undefined && node.updates.length > 0) return undefined;
      return "an update that sets nothing. Add `.set(…)` with at least one column.";
    case "MergeQueryNode":
      if (node.whens !== undefined && node.whens.length > 0) return undefined;
      return "a merge that does nothing. Add `.whenMatched()` or `.whenNotMatched()` with what is done then.";
    default:
      return undefined;
  }
}
