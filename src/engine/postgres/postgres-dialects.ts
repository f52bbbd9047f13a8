import type { DialectFindings, DialectProbe, DialectProblem, FamilyDialects } from "../dialect/dialect-findings.ts";
import { type Remedies, remedyFor } from "../dialect/dialect-remedy.ts";
import { areBytes, countProblems, datesOf, isExactInteger, TRIAL } from "../dialect/value-trials.ts";
import { JsonParameter, withPlainParameters } from "./postgres-dialect-parameters.ts";

/** Names of the zone in which nothing is shifted. */
const UTC = /^(?:(?:etc\/)?(?:utc|uct|gmt|zulu|universal|greenwich)|[+-]?0+|<[+-]00>[+-]00)$/i;

const AS_TEXT: Remedies = {
  PostgresDialect:
    "Give pg's pool `types: { getTypeParser: (oid, format) => [1082, 1114, 1184].includes(oid) ? String : pg.types.getTypeParser(oid, format) }`",
  PGliteDialect: "Give PGlite `parsers: { 1082: String, 1114: String, 1184: String }`",
  PostgresJSDialect:
    "Give postgres() `types: { date: { to: 1184, from: [1082, 1114, 1184], serialize: (x) => x, parse: (x) => x } }`",
  others: "Let its driver read and send date (1082), timestamp (1114) and timestamptz (1184) as text",
};

const ZONE: Remedies = {
  PostgresDialect: 'Give pg\'s pool `options: "-c TimeZone=UTC"`',
  PostgresJSDialect: 'Give postgres() `connection: { TimeZone: "UTC" }`',
  others: "Set the time zone of its connections to UTC",
};

/** Everything in one row: each value as a literal that is read, and as a parameter that is compared with it. */
const VALUES = `
  select date '${TRIAL.date}' as "date", timestamptz '${TRIAL.instant}+00' as "instant",
    ${TRIAL.integer}::bigint as "integer", '\\x00ff'::bytea as "bytes", '{"a":"12"}'::jsonb -> 'a' as "json", $1::text as "text",
    $2::date = date '${TRIAL.date}' as "sendsDate", $3::timestamptz = timestamptz '${TRIAL.instant}+00' as "sendsInstant",
    $4::bytea = '\\x00ff'::bytea as "sendsBytes", $5::bigint = ${TRIAL.integer} as "sendsInteger",
    $6::text as "marked", current_setting('TimeZone') as "zone"`;

const SENT = [
  TRIAL.text,
  TRIAL.date,
  `${TRIAL.instant.replace(" ", "T")}Z`,
  new Uint8Array(TRIAL.bytes),
  TRIAL.integer,
  TRIAL.marked,
] as const;

/** Kysely dialects for PostgreSQL. */
export const postgresDialects: FamilyDialects = {
  probe,
  jsonParameter: (text, { declared }) => new JsonParameter(text, declared?.toLowerCase() === "json" ? "json" : "jsonb"),
  prepare: withPlainParameters,
};

async function probe({ name, readOnly, rows, affected, within }: DialectProbe): Promise<DialectFindings> {
  return within(async () => {
    const [row = {}] = await rows(VALUES, SENT);
    const dates = datesOf(row["date"]);
    const asText = remedyFor(AS_TEXT, name);
    const problems: DialectProblem[] = [];
    if (dates === undefined || row["sendsDate"] !== true)
      problems.push({ kinds: ["date"], what: "changes dates", remedy: asText });
    if (typeof row["instant"] !== "string" || row["sendsInstant"] !== true)
      problems.push({ kinds: ["timestamp"], what: "cuts instants to milliseconds", remedy: asText });
    if (!areBytes(row["bytes"]) || row["sendsBytes"] !== true)
      problems.push({
        kinds: ["binary"],
        what: "changes bytes",
        remedy: "Let its driver read and send bytea as bytes",
      });
    if (row["sendsInteger"] !== true)
      problems.push({ kinds: ["bigint"], what: "rounds integers", remedy: "Let its driver send bigint as text" });
    if (row["text"] !== TRIAL.text) problems.push({ what: "changes text", remedy: "Set its client encoding to UTF8" });
    if (!UTC.test(String(row["zone"])))
      problems.push({
        kinds: ["timestamp", "date", "time"],
        what: `uses the time zone ${row["zone"]}, in which the database would make dates of instants`,
        remedy: remedyFor(ZONE, name),
      });
    const json = row["json"] === '"12"' ? "text" : "parsed";
    if (json === "parsed" && row["json"] !== "12")
      problems.push({ kinds: ["json"], what: "changes JSON", remedy: "Let its driver read json and jsonb as text" });
    const integers = isExactInteger(row["integer"])
      ? "exact"
      : { remedy: "let its driver read bigint as text or bigint" };
    if (!readOnly) problems.push(...(await counts(affected, rows)));
    return { json, dates: dates ?? "text", integers, cutsMark: row["marked"] !== TRIAL.marked, problems };
  });
}

/** Where no temporary table can be made, what the dialect says is taken as it is. */
async function counts(
  affected: DialectProbe["affected"],
  rows: DialectProbe["rows"],
): Promise<readonly DialectProblem[]> {
  const [allowed] = await rows("select has_database_privilege(current_database(), 'temporary') as temporary");
  if (allowed?.["temporary"] !== true) return [];
  await affected("create temporary table multibind_probe (n integer) on commit drop");
  const found = [
    await affected("insert into multibind_probe values (1), (2)"),
    await affected("update multibind_probe set n = 1 where n = 1"),
    await affected("update multibind_probe set n = 1 where n = 3"),
  ];
  return countProblems(found, [2n, 1n, 0n]);
}
