import { UnknownColumnError } from "../errors/unknown-column.ts";
import type { Mapper } from "./mapper.ts";

/** The error for a name that is no property of a model: the same that a reference to a column gets. */
export function unknownProperty(
  { table, properties }: Mapper,
  column: string,
  name = table.fullName,
): UnknownColumnError {
  const { bindKey } = table;
  return new UnknownColumnError({ bindKey, column, owners: [{ name, columns: properties.map((one) => one.name) }] });
}
