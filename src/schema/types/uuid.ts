import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

const UUID_TEXT = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

const UUID: LogicalType<string> = Object.freeze({
  kind: "uuid",
  accept(value: unknown): string {
    if (typeof value !== "string") return refuse("it takes a UUID as a string", value);
    if (!UUID_TEXT.test(value)) throw new Refusal('it takes a UUID such as "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"');
    return value.toLowerCase();
  },
});

/**
 * A column of UUIDs, strings in lower case in JavaScript.
 *
 * @example
 * uuid().primaryKey().default(() => crypto.randomUUID())
 *
 * @see SQLAlchemy: `Uuid(as_uuid=False)`
 */
export function uuid(): Column<string> {
  return new Column({ type: UUID });
}
