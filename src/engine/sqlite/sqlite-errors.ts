import type { ConstraintViolation } from "../constraint-violation.ts";
import { type ErrorKind, stringProperty } from "../error-kind.ts";

const BY_CODE: readonly (readonly [prefix: string, kind: ErrorKind])[] = [
  ["SQLITE_CONSTRAINT_UNIQUE", "unique"],
  ["SQLITE_CONSTRAINT_PRIMARYKEY", "unique"],
  ["SQLITE_CONSTRAINT_ROWID", "unique"],
  ["SQLITE_CONSTRAINT_FOREIGNKEY", "foreignKey"],
  ["SQLITE_CONSTRAINT_NOTNULL", "notNull"],
  ["SQLITE_CONSTRAINT_CHECK", "check"],
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
];

const OPERATIONAL = /^SQLITE_(FULL|IOERR|CORRUPT|READONLY|PERM|NOMEM|INTERRUPT|NOLFS|AUTH|PROTOCOL)/;

/** Classes of SQLite's errors, by extended result code, or by message if a driver has only that. */
export function sqliteErrorKind(error: unknown): ErrorKind {
  const code = stringProperty(error, "code") ?? "";
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
  const [, kind, named = ""] = /(UNIQUE|NOT NULL|CHECK) constraint failed: (.+)$/.exec(message) ?? [];
  if (kind === undefined) return {};
  const index = /^index '(.+)'$/.exec(named)?.[1];
  if (kind === "CHECK" || index !== undefined) return { constraint: index ?? named };
  const columns = named.split(", ").map((column) => /^(.+)\.([^.]+)$/.exec(column) ?? []);
  return { table: columns[0]?.[1], columns: columns.map(([, , name = ""]) => name) };
}
