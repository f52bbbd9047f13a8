import type { BindKey } from "../bind-key.ts";
import { UnknownColumnError } from "../errors/unknown-column.ts";

/** The parts of a mapper that name its properties. */
interface NamedProperties {
  readonly table: { readonly bindKey: BindKey; readonly fullName: string };
  readonly properties: readonly { readonly name: string }[];
}

/** The error for a name that is no property of a model: the same that a reference to a column gets. */
export function unknownProperty(
  { table, properties }: NamedProperties,
  column: string,
  name = table.fullName,
): UnknownColumnError {
  const { bindKey } = table;
  return new UnknownColumnError({ bindKey, column, owners: [{ name, columns: properties.map((one) => one.name) }] });
}
