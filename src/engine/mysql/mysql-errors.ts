import type { ConstraintViolation } from "../constraint-violation.ts";
import { type ErrorKind, numberProperty, stringProperty } from "../error-kind.ts";
import type { HideValues } from "../hidden-values.ts";
import { columnIn, type MissingName } from "../missing-name.ts";

const BY_NUMBER: Readonly<Record<number, ErrorKind>> = {
  1020: "serialization", // the row was changed since the snapshot
  1022: "unique",
  1021: "operational", // disk full
  1030: "operational", // the storage engine failed
  1037: "operational", // out of memory
  1038: "operational", // out of memory for sorting
  1040: "operational", // too many connections
  1041: "operational", // out of memory
  1044: "connection",
  1045: "connection",
  1048: "notNull",
  1049: "connection", // no such database
  1052: "programming", // an ambiguous column, of which the state is that of a violated constraint
  1062: "unique",
  1114: "operational", // the table is full
  1129: "connection",
  1130: "connection",
  1158: "connection",
  1159: "connection",
  1160: "connection",
  1161: "connection",
  1180: "operational", // the commit failed
  1203: "operational", // too many connections of the user
  1205: "lockTimeout",
  1206: "operational", // too many locks
  1213: "deadlock",
  1216: "foreignKey",
  1217: "foreignKey",
  1226: "operational",
  1264: "data", // out of range
  1265: "data", // truncated
  1290: "operational", // read-only server
  1292: "data", // an incorrect value
  1300: "data", // an invalid string of the character set
  1317: "timeout", // the query was interrupted
  1364: "notNull", // no value and no default
  1365: "data", // division by zero
  1366: "data", // an incorrect value
  1367: "data", // an illegal value
  1406: "data", // too long
  1411: "data", // an incorrect value for a function
  1412: "serialization", // a table changed after the snapshot
  1451: "foreignKey",
  1452: "foreignKey",
  1525: "data", // an incorrect value
  1586: "unique",
  1615: "serialization", // a table changed between the preparation and the execution
  1690: "data", // a result out of range
  1836: "operational", // read-only server
  1792: "operational", // read-only transaction
  1927: "connection", // killed
  1969: "timeout", // max_statement_time
  2002: "connection",
  2003: "connection",
  2006: "connection",
  2013: "connection",
  3024: "timeout", // max_execution_time
  3572: "lockTimeout", // nowait
  3819: "check",
  4025: "check",
};

/** Classes of MySQL's and MariaDB's errors, by number; numbers from 45000 on are the driver's own. */
export function mysqlErrorKind(error: unknown): ErrorKind {
  const number = numberProperty(error, "errno");
  const kind = number === undefined ? undefined : BY_NUMBER[number];
  if (kind !== undefined) return kind;
  const state = stringProperty(error, "sqlState") ?? "";
  if (state.startsWith("08") || (error as { readonly fatal?: unknown }).fatal === true) return "connection";
  if (state.startsWith("22")) return "data";
  if (state.startsWith("23")) return "integrity";
  if (state === "40001") return "serialization";
  return "programming";
}

/** The message without the statement and its parameters, which the driver puts behind it. */
export function mysqlErrorMessage(error: unknown): string | undefined {
  return stringProperty(error, "sqlMessage");
}

/** Patterns for the names in messages of violated constraints, in the order in which they are tried. */
const VIOLATIONS: readonly RegExp[] = [
  // A foreign key, with the table that has it.
  /\((?:`(?:[^`]|``)+`\.)?`(?<table>(?:[^`]|``)+)`, CONSTRAINT `(?<constraint>(?:[^`]|``)+)` FOREIGN KEY \((?<columns>`.+?`)\) REFERENCES/s,
  /^Column '(?<column>.+)' cannot be null/s,
  /^Field '(?<column>.+)' doesn't have a default value/s,
  /^CONSTRAINT `(?:(?<table>(?:[^`.]|``)+)\.)?(?<constraint>(?:[^`]|``)+)` failed for `(?:[^`]|``)+`\.`(?<own>(?:[^`]|``)+)`/s,
  // A value that does not fit; values themselves may read like the end of the message.
  /.* for column (?:`[^`]+`\.`(?<table>[^`]+)`\.)?[`'](?<column>[^`']+)[`'] at row \d+$/s,
  /^Check constraint '(?<check>.+)' is violated/s,
];

const QUOTED = /`((?:[^`]|``)+)`/g;

/** The table that a statement writes. */
const WRITTEN =
  /^\s*(?:insert (?:ignore )?into|replace into|update|delete from) (?:(?:`(?:[^`]|``)+`|[^`\s.(]+)\.)?(?:`(?<quoted>(?:[^`]|``)+)`|(?<bare>[^`\s.(]+))/i;

/** The constraint that an error names. Where that leaves out the table, it is the one that the statement writes. */
export function mysqlViolation(error: unknown, sql: string | undefined): ConstraintViolation {
  const message = mysqlErrorMessage(error) ?? stringProperty(error, "message") ?? "";
  const { quoted, bare } = (sql === undefined ? undefined : WRITTEN.exec(sql)?.groups) ?? {};
  const written = unquoted(quoted) ?? bare;
  const key = /for key '(.+)'$/s.exec(message)?.[1];
  if (key !== undefined) return keyNamed(key, written);
  for (const pattern of VIOLATIONS) {
    const found = pattern.exec(message)?.groups;
    if (found === undefined) continue;
    const { own, table = own, column, columns, check, constraint } = found;
    const list = columns === undefined ? undefined : [...columns.matchAll(QUOTED)].map(([, name]) => unquoted(name)!);
    return {
      table: unquoted(table) ?? written,
      columns: column === undefined ? list : [column],
      constraint: check ?? unquoted(constraint),
    };
  }
  return { table: written };
}

/** A key of a duplicate: MySQL writes the table before it, MariaDB does not. */
function keyNamed(key: string, written: string | undefined): ConstraintViolation {
  if (written !== undefined && key.startsWith(`${written}.`))
    return { table: written, constraint: key.slice(written.length + 1) };
  const [, table, constraint] = /^([^.]+)\.([^.]+)$/.exec(key) ?? [];
  return { table: table ?? written, constraint: constraint ?? key };
}

function unquoted(name: string | undefined): string | undefined {
  return name?.replaceAll("``", "`");
}

/** What values look like in messages: the key of a duplicate, a value that does not fit, an expression out of range. */
const VALUES: readonly (readonly [pattern: RegExp, shown: string])[] = [
  [/Duplicate entry '.*' for key/s, "Duplicate entry '…' for key"],
  [
    /( value|string|Data too long|character string|argument): '.*?'(?= for (?:column|function)| at row|\n|$)/s,
    "$1: '…'",
  ],
  [/out of range in '.*'(?=\n|$)/s, "out of range in '…'"],
];

/** Numbers of errors whose messages hold values. */
const WITH_VALUES = new Set([1022, 1062, 1292, 1300, 1366, 1367, 1411, 1525, 1586, 1690, 3140, 3141, 3156, 3903, 4078]);

/** Takes values out of the texts of an error. */
export function hideMysqlValues(error: unknown): HideValues {
  const number = numberProperty(error, "errno");
  const patterns = number !== undefined && WITH_VALUES.has(number) ? VALUES : [];
  return (text) =>
    patterns.reduce((hidden, [pattern, shown]) => hidden.replace(pattern, shown), withoutParameters(text));
}

/** The driver `mariadb` writes the parameters after the statement, unless its option `logParam` is false. */
function withoutParameters(text: string): string {
  return text.replace(/ - parameters:[[{][\s\S]*$/, "");
}

/** The name that an error says is missing. */
export function mysqlMissingName(error: unknown): MissingName | undefined {
  const message = mysqlErrorMessage(error) ?? stringProperty(error, "message") ?? "";
  const name = /'([^']*)'/.exec(message)?.[1];
  if (name === undefined) return undefined;
  switch (numberProperty(error, "errno")) {
    case 1049:
      return { kind: "database", name };
    case 1052:
      return { kind: "ambiguous column", ...columnIn(name) };
    case 1054:
      return { kind: "column", ...columnIn(name) };
    case 1146:
      // The database is in front.
      return { kind: "table", name };
    default:
      return undefined;
  }
}
