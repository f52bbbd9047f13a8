import type { AloneResults } from "../harness/results.ts";
import { number } from "./numbers.ts";
import { table } from "./table.ts";

/** The part of the report on multibind alone. */
export function aloneSection({ date, rounds, figures, tables }: AloneResults): string {
  return [
    "## multibind alone",
    `${rounds} rounds, ${date}.`,
    table(
      ["", "", "target", ""],
      figures.map(({ what, value, unit, target }) => [
        what,
        `${number(value)} ${unit}`,
        target === undefined ? "–" : `< ${target} ${unit}`,
        target === undefined ? "" : value < target ? "met" : `missed by ${number(value - target)} ${unit}`,
      ]),
    ),
    ...tables.flatMap(({ title, note, columns, rows }) => [
      `### ${title}`,
      note,
      table(
        ["", ...columns],
        rows.map(({ what, values }) => [what, ...values.map(number)]),
      ),
    ]),
  ].join("\n\n");
}
