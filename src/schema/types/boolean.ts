import { Column } from "../column.ts";
import { type LogicalType, refuse } from "../logical-type.ts";

const BOOLEAN: LogicalType<boolean> = Object.freeze({
  kind: "boolean",
  accept(value: unknown): boolean {
    return typeof value === "boolean" ? value : refuse("it takes true or false", value);
  },
});

/**
 * A column of truth values.
 *
 * @see SQLAlchemy: `Boolean`
 */
export function boolean(): Column<boolean> {
  return new Column({ type: BOOLEAN });
}
