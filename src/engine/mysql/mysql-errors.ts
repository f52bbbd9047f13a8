import { type ErrorKind, numberProperty, stringProperty } from "../error-kind.ts";

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
  1290: "operational", // read-only server
  1317: "timeout", // the query was interrupted
  1364: "notNull", // no value and no default
  1412: "serialization", // a table changed after the snapshot
  1451: "foreignKey",
  1452: "foreignKey",
  1586: "unique",
  1615: "serialization", // a table changed between the preparation and the execution
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

/** What an error of MySQL or MariaDB says, by its number; from 45000 on the numbers are the driver's own. */
export function mysqlErrorKind(error: unknown): ErrorKind {
  const number = numberProperty(error, "errno");
  const kind = number === undefined ? undefined : BY_NUMBER[number];
  if (kind !== undefined) return kind;
  const state = stringProperty(error, "sqlState") ?? "";
  if (state.startsWith("08") || (error as { readonly fatal?: unknown }).fatal === true) return "connection";
  if (state.startsWith("23")) return "integrity";
  if (state === "40001") return "serialization";
  return "programming";
}

/** The message without the statement and its parameters, which the driver puts behind it. */
export function mysqlErrorMessage(error: unknown): string | undefined {
  return stringProperty(error, "sqlMessage");
}
