import type { ConstraintViolation } from "../constraint-violation.ts";
import { type ErrorKind, stringProperty } from "../error-kind.ts";
import type { HideValues } from "../hidden-values.ts";
import { columnIn, type MissingName } from "../missing-name.ts";

const BY_STATE: Readonly<Record<string, ErrorKind>> = {
  "23505": "unique",
  "23503": "foreignKey",
  "23001": "foreignKey",
  "23502": "notNull",
  "23514": "check",
  "40001": "serialization",
  "40P01": "deadlock",
  "55P03": "lockTimeout",
  "57014": "timeout",
  "57P01": "connection",
  "57P02": "connection",
  "57P03": "connection",
  "57P05": "connection",
  "28000": "connection",
  "28P01": "connection",
  "3D000": "connection",
};

const BY_CLASS: Readonly<Record<string, ErrorKind>> = {
  "08": "connection",
  "22": "data",
  "23": "integrity",
  "25": "operational",
  "40": "operational",
  "53": "operational",
  "54": "operational",
  "55": "operational",
  "57": "operational",
  "58": "operational",
  XX: "operational",
};

/** Classes of PostgreSQL's errors, by SQLSTATE. */
export function postgresErrorKind(error: unknown): ErrorKind {
  const state = stringProperty(error, "code");
  if (state !== undefined && /^[0-9A-Z]{5}$/.test(state))
    return BY_STATE[state] ?? BY_CLASS[state.slice(0, 2)] ?? "programming";
  const message = stringProperty(error, "message") ?? "";
  if (/timeout/i.test(message) && !/connection terminated/i.test(message)) return "connection";
  return /connection|terminated|not queryable|ended/i.test(message) ? "connection" : "programming";
}

/** The columns in the detail of an error: `Key (a, b)=(1, 2) already exists.` */
const KEY = /^Key \((.+?)\)=\(/s;

/** A name in a list, in quotes where it needs them. */
const LISTED = /"(?:[^"]|"")*"|[^\s,][^,]*/g;

/** The constraint that an error names. */
export function postgresViolation(error: unknown): ConstraintViolation {
  // The driver postgres.js has the other names.
  const member = (name: string) => stringProperty(error, name) ?? stringProperty(error, `${name}_name`);
  const column = member("column");
  const schema = member("schema");
  const table = member("table");
  const key = KEY.exec(member("detail") ?? "")?.[1];
  return {
    table: table === undefined || schema === undefined || schema === "public" ? table : `${schema}.${table}`,
    columns: column === undefined ? key?.match(LISTED)?.map(unquoted) : [column],
    constraint: member("constraint"),
  };
}

function unquoted(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}

/** Takes values out of the texts of an error: quoted ones of bad values, keys and rows of violated constraints. */
export function hidePostgresValues(error: unknown): HideValues {
  const state = stringProperty(error, "code") ?? "";
  const isBadValue = state.startsWith("22");
  return (text, member) => {
    if (member === "where") return isBadValue || /\$\d+ = /.test(text) ? undefined : text;
    if (isBadValue) return member === "message" ? text.replace(/".*"/s, '"…"') : undefined;
    if (member !== "detail" || !state.startsWith("23")) return text;
    const shown =
      /^(Key \(.+?\))=\(.*\)( (?:already exists|is duplicated|is (?:not present in|still referenced from) table "[^"]*")\.)$/s;
    return shown.test(text) ? text.replace(shown, "$1=(…)$2") : undefined;
  };
}

/** The name that an error says is missing. */
export function postgresMissingName(error: unknown): MissingName | undefined {
  const state = stringProperty(error, "code") ?? "";
  const message = stringProperty(error, "message") ?? "";
  const first = (pattern: RegExp) => pattern.exec(message)?.[1];
  switch (state) {
    case "42P01":
      return named("table", first(/^(?:relation|table) "(.+)" does not exist/));
    case "42702":
      return named("ambiguous column", first(/^column reference "(.+)" is ambiguous/));
    case "3F000":
      return named("schema", first(/^schema "(.+)" does not exist/));
    case "3D000":
      return named("database", first(/^database "(.+)" does not exist/));
    case "42703": {
      const [, column, table] = /^column "(.+)" of relation "(.+)" does not exist/.exec(message) ?? [];
      if (column !== undefined) return { kind: "column", name: column, table };
      const found = first(/^column (.+) does not exist/);
      if (found === undefined) return undefined;
      return found.startsWith('"') ? { kind: "column", name: unquoted(found) } : { kind: "column", ...columnIn(found) };
    }
    default:
      return undefined;
  }
}

function named(kind: MissingName["kind"], name: string | undefined): MissingName | undefined {
  return name === undefined ? undefined : { kind, name };
}
