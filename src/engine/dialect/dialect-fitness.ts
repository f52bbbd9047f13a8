import { type BindKey, bindLabel } from "../../bind-key.ts";
import { InvalidOptionError } from "../../errors/configuration.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { DialectFindings, DialectProblem } from "./dialect-findings.ts";

/**
 * Refuses a dialect that does not keep the values of a table as they are.
 *
 * @throws {InvalidOptionError} that says for each problem where it would show, and what to set
 */
export function requireFit(
  name: string,
  { problems }: DialectFindings,
  tables: Iterable<AnyTable>,
  bindKey: BindKey,
): void {
  const all = [...tables];
  const found = problems.flatMap((problem) => {
    const where = firstConcerned(problem, all);
    return where === undefined ? [] : [{ ...problem, where }];
  });
  if (found.length === 0) return;
  const reasons = found.map(({ what, where }) => `${what} (${where})`);
  const remedies = [...new Set(found.map(({ remedy }) => remedy))];
  throw new InvalidOptionError(
    `The dialect of ${bindLabel(bindKey)} would not keep values as they are, so nothing was sent: ${name} ${reasons.join("; it ")}. ` +
      `${remedies.join(". ")}.`,
    { bindKey },
  );
}

/** The first table or column that a problem concerns. */
function firstConcerned({ kinds, foreignKeys }: DialectProblem, tables: readonly AnyTable[]): string | undefined {
  for (const table of tables) {
    if (kinds === undefined && (foreignKeys !== true || table.foreignKeys.length > 0))
      return `table "${table.fullName}"`;
    const column = table.columnList.find(({ definition }) => kinds?.includes(definition.type.kind));
    if (column !== undefined) return `column "${table.fullName}.${column.property}"`;
  }
  return undefined;
}
