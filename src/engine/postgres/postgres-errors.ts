import { type ErrorKind, stringProperty } from "../error-kind.ts";

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

/** What an error of PostgreSQL says, by its SQLSTATE. */
export function postgresErrorKind(error: unknown): ErrorKind {
  const state = stringProperty(error, "code");
  if (state !== undefined && /^[0-9A-Z]{5}$/.test(state))
    return BY_STATE[state] ?? BY_CLASS[state.slice(0, 2)] ?? "programming";
  const message = stringProperty(error, "message") ?? "";
  if (/timeout/i.test(message) && !/connection terminated/i.test(message)) return "connection";
  return /connection|terminated|not queryable|ended/i.test(message) ? "connection" : "programming";
}
