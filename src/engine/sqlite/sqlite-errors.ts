import type { ConstraintViolation } from "../constraint-violation.ts";
import { type ErrorKind, numberProperty, stringProperty } from "../error-kind.ts";
import { columnIn, type MissingName } from "../missing-name.ts";

/** Names of result codes, for drivers that give their numbers; the lower byte of an extended code is the code itself. */
const NAMES: Readonly<Record<number, string>> = {
  1: "SQLITE_ERROR",
  3: "SQLITE_PERM",
  5: "SQLITE_BUSY",
  6: "SQLITE_LOCKED",
  7: "SQLITE_NOMEM",
  8: "SQLITE_READONLY",
  9: "SQLITE_INTERRUPT",
  10: "SQLITE_IOERR",
  11: "SQLITE_CORRUPT",
  13: "SQLITE_FULL",
  14: "SQLITE_CANTOPEN",
  15: "SQLITE_PROTOCOL",
  18: "SQLITE_TOOBIG",
  19: "SQLITE_CONSTRAINT",
  20: "SQLITE_MISMATCH",
  22: "SQLITE_NOLFS",
  23: "SQLITE_AUTH",
  26: "SQLITE_NOTADB",
  261: "SQLITE_BUSY_RECOVERY",
  262: "SQLITE_LOCKED_SHAREDCACHE",
  275: "SQLITE_CONSTRAINT_CHECK",
  517: "SQLITE_BUSY_SNAPSHOT",
  787: "SQLITE_CONSTRAINT_FOREIGNKEY",
  1299: "SQLITE_CONSTRAINT_NOTNULL",
  1555: "SQLITE_CONSTRAINT_PRIMARYKEY",
  2067: "SQLITE_CONSTRAINT_UNIQUE",
  2579: "SQLITE_CONSTRAINT_ROWID",
  3091: "SQLITE_CONSTRAINT_DATATYPE",
};

/** The name of the result code in an error; empty without one. */
export function sqliteCode(error: unknown): string {
  const code = stringProperty(error, "code") ?? "";
  if (code.startsWith("SQLITE_")) return code;
  // Those of Node's own SQLite, and of libsql.
  const number = numberProperty(error, "errcode") ?? numberProperty(error, "rawCode");
  return number === undefined ? code : (NAMES[number] ?? NAMES[number & 0xff] ?? code);
}

const BY_CODE: readonly (readonly [prefix: string, kind: ErrorKind])[] = [
  ["SQLITE_CONSTRAINT_UNIQUE", "unique"],
  ["SQLITE_CONSTRAINT_PRIMARYKEY", "unique"],
  ["SQLITE_CONSTRAINT_ROWID", "unique"],
  ["SQLITE_CONSTRAINT_FOREIGNKEY", "foreignKey"],
  ["SQLITE_CONSTRAINT_NOTNULL", "notNull"],
  ["SQLITE_CONSTRAINT_CHECK", "check"],
  ["SQLITE_CONSTRAINT_DATATYPE", "data"],
  ["SQLITE_MISMATCH", "data"],
  ["SQLITE_TOOBIG", "data"],
  ["SQLITE_BUSY_SNAPSHOT", "serialization"],
  ["SQLITE_BUSY", "lockTimeout"],
  ["SQLITE_LOCKED", "timeout"],
  ["SQLITE_CANTOPEN", "connection"],
  ["SQLITE_NOTADB", "connection"],
];

const BY_MESSAGE: readonly (readonly [pattern: RegExp, kind: ErrorKind])[] = [
  [/UNIQUE constraint failed/i, "unique"],
  [/FOREIGN KEY constraint failed/i, "foreignKey"],
  [/NOT NULL constraint failed/i, "notNull"],
  [/CHECK constraint failed/i, "check"],
  [/^(?:integer overflow|malformed JSON|datatype mismatch)/, "data"],
];

const OPERATIONAL = /^SQLITE_(FULL|IOERR|CORRUPT|READONLY|PERM|NOMEM|INTERRUPT|NOLFS|AUTH|PROTOCOL)/;

/** Classes of SQLite's errors, by extended result code, or by message if a driver has only that. */
export function sqliteErrorKind(error: unknown): ErrorKind {
  const code = sqliteCode(error);
  for (const [prefix, kind] of BY_CODE) if (code.startsWith(prefix)) return kind;
  const message = stringProperty(error, "message") ?? "";
  for (const [pattern, kind] of BY_MESSAGE) if (pattern.test(message)) return kind;
  if (code.startsWith("SQLITE_CONSTRAINT")) return "integrity";
  if (/unable to open database|directory does not exist/i.test(message)) return "connection";
  return OPERATIONAL.test(code) ? "operational" : "programming";
}

/** The constraint that an error names; SQLite names none of its foreign keys. */
export function sqliteViolation(error: unknown): ConstraintViolation {
  const message = stringProperty(error, "message") ?? "";
  const strict = /^cannot store \w+ value in \w+ column (.+)\.([^.]+)$/s.exec(message);
  if (strict !== null) return { table: strict[1], columns: [strict[2]!] };
  const [, kind, named = ""] = /(UNIQUE|NOT NULL|CHECK) constraint failed: (.+)$/s.exec(message) ?? [];
  if (kind === undefined) return {};
  const index = /^index '(.+)'$/s.exec(named)?.[1];
  if (kind === "CHECK" || index !== undefined) return { constraint: index ?? named };
  const columns = named.split(", ").map((column) => /^(.+)\.([^.]+)$/s.exec(column) ?? []);
  return { list: named, table: columns[0]?.[1], columns: columns.map(([, , name = ""]) => name) };
}

/** The name that an error says is missing. */
export function sqliteMissingName(error: unknown): MissingName | undefined {
  const message = stringProperty(error, "message") ?? "";
  const [, what, found = ""] =
    /^(no such table|no such column|ambiguous column name): (.+?)(?: - should this be .*)?$/.exec(message) ?? [];
  if (what === "no such table") return { kind: "table", name: found.replace(/^main\./, "") };
  if (what !== undefined)
    return { kind: what === "no such column" ? "column" : "ambiguous column", ...columnIn(found.replaceAll('"', "")) };
  const [, table, name] = /^table (.+) has no column named (.+)$/.exec(message) ?? [];
  return name === undefined ? undefined : { kind: "column", name, table };
}
