import { Refusal } from "../../schema/logical-type.ts";

/** What PostgreSQL is sent for a value that stands opposite no column. Its driver would send dates in local time. */
export function postgresParameter(value: unknown): unknown {
  if (!(value instanceof Date)) return value;
  if (Number.isNaN(value.getTime())) throw new Refusal("it is an invalid Date");
  return value.toISOString();
}
