import { Column } from "../column.ts";
import { type LogicalType, refuse } from "../logical-type.ts";

const FLOAT: LogicalType<number> = Object.freeze({
  kind: "float",
  accept(value: unknown): number {
    if (typeof value !== "number" || Number.isNaN(value)) return refuse("it takes a number", value);
    return value + 0;
  },
});

/**
 * A column of 64-bit floating-point numbers. `NaN` is refused; infinities are where the database has none (MySQL, MariaDB).
 *
 * @see SQLAlchemy: `Double`
 */
export function float(): Column<number> {
  return new Column({ type: FLOAT });
}
