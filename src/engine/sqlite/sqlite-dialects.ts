import type { DialectFindings, DialectProbe, DialectProblem, FamilyDialects } from "../dialect/dialect-findings.ts";
import { areBytes, countProblems, isExactInteger, TRIAL } from "../dialect/value-trials.ts";

const VALUES = `
  select x'00ff' as "bytes", ? as "text", ? as "marked", ? = x'00ff' as "sendsBytes",
    (select foreign_keys from pragma_foreign_keys) as "foreignKeys"`;

/** Kysely dialects for SQLite. */
export const sqliteDialects: FamilyDialects = { probe, plainIntegers: true };

async function probe({ readOnly, rows, affected, within }: DialectProbe): Promise<DialectFindings> {
  const [row = {}] = await rows(VALUES, [TRIAL.text, TRIAL.marked, new Uint8Array(TRIAL.bytes)]);
  const problems: DialectProblem[] = [];
  if (!areBytes(row["bytes"]) || Number(row["sendsBytes"]) !== 1)
    problems.push({ kinds: ["binary"], what: "changes bytes", remedy: "Let its driver read and bind blobs as bytes" });
  if (row["text"] !== TRIAL.text) problems.push({ what: "changes text", remedy: "Let its driver bind text as UTF-8" });
  if (Number(row["foreignKeys"]) !== 1)
    problems.push({
      foreignKeys: true,
      what: "does not check foreign keys",
      remedy: "Run `pragma foreign_keys = on` on each connection, in `onCreateConnection`",
    });
  if (!readOnly) problems.push(...(await within(() => counts(affected))));
  return {
    json: "text",
    dates: "text",
    integers: isExactInteger(await integerOf(rows))
      ? "exact"
      : { remedy: "call `defaultSafeIntegers(true)` on better-sqlite3's database, or let its driver give bigints" },
    cutsMark: row["marked"] !== TRIAL.marked,
    problems,
  };
}

/** An integer beyond 2^53 as it is read; some drivers throw instead of rounding it. */
async function integerOf(rows: DialectProbe["rows"]): Promise<unknown> {
  try {
    const [row] = await rows(`select ${TRIAL.integer} as "integer"`);
    return row?.["integer"];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

async function counts(affected: DialectProbe["affected"]): Promise<readonly DialectProblem[]> {
  await affected("create temporary table multibind_probe (n integer)");
  const found = [
    await affected("insert into multibind_probe values (1), (2)"),
    await affected("update multibind_probe set n = 1 where n = 1"),
    await affected("update multibind_probe set n = 1 where n = 3"),
  ];
  await affected("drop table multibind_probe");
  return countProblems(found, [2n, 1n, 0n]);
}
