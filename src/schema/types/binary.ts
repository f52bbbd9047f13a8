import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

const BINARY: LogicalType<Uint8Array> = Object.freeze({
  kind: "binary",
  accept(value: unknown): Uint8Array {
    return value instanceof Uint8Array ? value : refuse("it takes a Uint8Array", value);
  },
});

/**
 * The type of a column of bytes that is there already, and is made again as it was declared.
 *
 * @param length how many bytes each value has, where the database fills shorter ones up
 */
export function declaredBinary(declared: string, length?: number): LogicalType<Uint8Array> {
  if (length === undefined) return Object.freeze({ ...BINARY, declared });
  return Object.freeze({
    ...BINARY,
    declared,
    accept(value: unknown): Uint8Array {
      const bytes = BINARY.accept(value);
      if (bytes.length === length) return bytes;
      throw new Refusal(
        `it takes a Uint8Array of ${length} bytes, and the database would change one of ${bytes.length}`,
      );
    },
  });
}

/**
 * A column of bytes, a `Uint8Array` with a buffer of its own in JavaScript. A change inside the array is seen when
 * the session flushes.
 *
 * @see SQLAlchemy: `LargeBinary`
 */
export function binary(): Column<Uint8Array> {
  return new Column({ type: BINARY });
}
