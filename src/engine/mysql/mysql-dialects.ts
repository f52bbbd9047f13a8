import type { DialectFindings, DialectProbe, DialectProblem, FamilyDialects } from "../dialect/dialect-findings.ts";
import { type Remedies, remedyFor } from "../dialect/dialect-remedy.ts";
import { areBytes, countProblems, datesOf, isExactInteger, TRIAL } from "../dialect/value-trials.ts";
import { MARIADB, MYSQL } from "./mysql-lacks.ts";

const OPTIONS: Remedies = {
  MysqlDialect:
    "Give mysql2's pool `" +
    'timezone: "Z", dateStrings: true, jsonStrings: true, supportBigNumbers: true, bigNumberStrings: true`',
  MariadbDialect: "Give mariadb's pool `dateStrings: true, autoJsonMap: false`",
  others: "Let its driver read dates, instants, JSON and bigint as text",
};

const UTC = /^(?:[+-]00:00|(?:etc\/)?(?:utc|uct|gmt|zulu|universal))$/i;

/** The zone that the server has of its system; that of London is called GMT too, in the winter. */
const SYSTEM_UTC = /^(?:etc\/)?(?:utc|uct|universal)$/i;

const VALUES = `
  select cast('${TRIAL.date}' as date) as \`date\`, cast('${TRIAL.instant}' as datetime(6)) as \`instant\`,
    cast('${TRIAL.integer}' as signed) as \`integer\`, x'00ff' as \`bytes\`, json_extract('{"a":"12"}', '$.a') as \`json\`,
    cast(? as char) as \`text\`, cast(? as char) as \`marked\`, ? = x'00ff' as \`sendsBytes\`, @@session.time_zone as \`zone\`,
    @@system_time_zone as \`systemZone\`, @@session.sql_mode as \`mode\`, version() as \`version\``;

/** Kysely dialects for MySQL and MariaDB. */
export const mysqlDialects: FamilyDialects = { probe };

async function probe({ name, readOnly, rows, affected }: DialectProbe): Promise<DialectFindings> {
  const [row = {}] = await rows(VALUES, [TRIAL.text, TRIAL.marked, Buffer.from(TRIAL.bytes)]);
  const options = remedyFor(OPTIONS, name);
  const dates = datesOf(row["date"]);
  const problems: DialectProblem[] = [];
  if (dates === undefined) problems.push({ kinds: ["date"], what: "changes dates", remedy: options });
  if (row["instant"] !== TRIAL.instant)
    problems.push({
      kinds: ["timestamp"],
      what: "shifts instants into the process's time zone, or cuts them to milliseconds",
      remedy: options,
    });
  if (!areBytes(row["bytes"]) || Number(row["sendsBytes"]) !== 1)
    problems.push({ kinds: ["binary"], what: "changes bytes", remedy: "Let its driver read and send blobs as bytes" });
  if (row["text"] !== TRIAL.text)
    problems.push({ what: "changes text", remedy: "Set the character set of its connections to utf8mb4" });
  const zone = String(row["zone"]);
  if (!UTC.test(zone) && !(zone === "SYSTEM" && SYSTEM_UTC.test(String(row["systemZone"]))))
    problems.push({
      kinds: ["timestamp", "date", "time"],
      what: `uses the time zone ${zone} for now() and current_timestamp`,
      remedy: "Run `set time_zone = '+00:00'` on each connection, in `onCreateConnection`",
    });
  if (!/STRICT_(?:ALL|TRANS)_TABLES|TRADITIONAL/.test(String(row["mode"])))
    problems.push({
      what: "stores other values in place of those that do not fit, since sql_mode is not strict",
      remedy: "Add STRICT_ALL_TABLES to sql_mode on each connection, in `onCreateConnection`",
    });
  const integers = isExactInteger(row["integer"]) ? "exact" : { remedy: options };
  const stored = readOnly ? undefined : await temporary(rows, affected);
  // A driver tells JSON by what the server says of a column; where it does not say, it would be text. So JSON must be text always.
  if (row["json"] !== '"12"' || (stored !== undefined && stored.json !== '"12"'))
    problems.push({ kinds: ["json"], what: "parses JSON, so that text within it is parsed twice", remedy: options });
  if (stored !== undefined) problems.push(...countProblems(stored.counts, [2n, 1n, 0n]));
  const isMariadb = /mariadb/i.test(String(row["version"]));
  return {
    json: "text",
    dates: dates ?? "text",
    integers,
    cutsMark: row["marked"] !== TRIAL.marked,
    problems,
    lacksReturning: !isMariadb,
    lacks: isMariadb ? MARIADB : MYSQL,
  };
}

/** A temporary table shows more; where none can be made, what the dialect says is taken as it is. */
async function temporary(
  rows: DialectProbe["rows"],
  affected: DialectProbe["affected"],
): Promise<{ readonly json: unknown; readonly counts: readonly (bigint | undefined)[] } | undefined> {
  try {
    await affected("create temporary table multibind_probe (n integer, j json)");
  } catch {
    return undefined;
  }
  try {
    const counts = [
      await affected(`insert into multibind_probe values (1, '"12"'), (2, null)`),
      await affected("update multibind_probe set n = 1 where n = 1"),
      await affected("update multibind_probe set n = 1 where n = 3"),
    ];
    const [row] = await rows("select j from multibind_probe where n = 1");
    return { json: row?.["j"], counts };
  } finally {
    await affected("drop temporary table multibind_probe");
  }
}
