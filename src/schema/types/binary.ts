import { Column } from "../column.ts";
import { type LogicalType, refuse } from "../logical-type.ts";

const BINARY: LogicalType<Uint8Array> = Object.freeze({
  kind: "binary",
  accept(value: unknown): Uint8Array {
    return value instanceof Uint8Array ? value : refuse("it takes a Uint8Array", value);
  },
});

/**
 * A column of bytes, a `Uint8Array` with a buffer of its own in JavaScript. A change inside the array is seen when
 * the session flushes.
 *
 * @see SQLAlchemy: `LargeBinary`
 */
export function binary(): Column<Uint8Array> {
  return new Column({ type: BINARY });
}
