import { Column } from "../column.ts";
import { describeValue, type LogicalType, Refusal } from "../logical-type.ts";

/** A `\u0000` or half a surrogate pair, as `JSON.stringify` escapes them; a backslash before it would make it plain text. */
const UNSTORABLE_ESCAPE = /(?:^|[^\\])(?:\\\\)*\\u(?:0000|d[89a-f][0-9a-f]{2})/;

function checkMember(this: unknown, key: string, rendered: unknown): unknown {
  // `JSON.stringify` has already called `toJSON`; only the holder still has the member itself.
  const member = (this as Record<string, unknown>)[key];
  switch (typeof member) {
    case "bigint":
    case "function":
    case "symbol":
    case "undefined":
      throw new Refusal(`it takes JSON, and ${key === "" ? "the value" : `"${key}"`} is ${describeValue(member)}`);
    case "number":
      if (!Number.isFinite(member)) throw new Refusal(`it takes JSON, and "${key}" is ${describeValue(member)}`);
      break;
    case "object":
      if (member !== null && !Array.isArray(member) && !isPlain(member)) {
        throw new Refusal(`it takes JSON, and ${key === "" ? "the value" : `"${key}"`} is ${describeValue(member)}`);
      }
  }
  return rendered;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return (prototype === null || prototype === Object.prototype) && !("toJSON" in value);
}

/**
 * Writes a value as JSON text, refusing what would not come back as it went in.
 *
 * @throws {Refusal} on a bigint, function, symbol, `undefined`, `NaN`, infinity or class instance at any depth
 */
export function jsonText(value: unknown): string {
  let json: string;
  try {
    json = JSON.stringify(value, checkMember);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    // Only the stack's end is a RangeError; a circle is a TypeError.
    throw new Refusal(
      `it takes JSON, and the value ${error instanceof RangeError ? "is nested too deeply" : "refers to itself"}`,
    );
  }
  if (json.includes("\\u") && UNSTORABLE_ESCAPE.test(json)) {
    throw new Refusal("it takes JSON whose text is well-formed Unicode without the character U+0000");
  }
  return json;
}

const JSON_TYPE: LogicalType<unknown> = Object.freeze({
  kind: "json",
  accept(value: unknown): unknown {
    jsonText(value);
    return value;
  },
});

/**
 * A column of JSON, parsed in JavaScript. A change inside the value is seen when the session flushes.
 *
 * MariaDB takes at most 32 levels of nesting, MySQL 100. `null` is SQL's null; a bigint, a function, `undefined`, `NaN` or a class instance such as `Date` is refused at any depth.
 *
 * @typeParam T the shape of the value. Defaults to `unknown`
 *
 * @see SQLAlchemy: `JSON`
 */
export function json<T = unknown>(): Column<T> {
  // The shape is the caller's word: JSON carries no types that could be checked here.
  return new Column({ type: JSON_TYPE as LogicalType<T> });
}
