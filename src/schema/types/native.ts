import { Column } from "../column.ts";
import type { LogicalType } from "../logical-type.ts";

/** The description behind {@link native}. */
export function nativeType(declared: string): LogicalType {
  return Object.freeze({ kind: "native", declared, accept: (value: unknown) => value });
}

/**
 * A column of a type that only its database knows, such as `tsvector`, `inet` or `integer[]`.
 *
 * Values go to the driver and come from it as they are. Reflection gives this type to columns that have no equal here.
 *
 * @param type the type as the database writes it; it goes into `create table` verbatim, so never take it from user input
 *
 * @see SQLAlchemy: `UserDefinedType`
 */
export function native<T = unknown>(type: string): Column<T> {
  // The shape is the caller's word: nothing here knows what the driver makes of the type.
  return new Column({ type: nativeType(type) as LogicalType<T> });
}
