import { SchemaError } from "../../errors/schema.ts";
import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;
const ZERO = "0".charCodeAt(0);

/** The largest precision that PostgreSQL, MySQL and MariaDB share. */
const MOST_DIGITS = 65;

/** A `numeric(precision, scale)`; `declared` is the type as an existing table declares it, where it was reflected. */
export function numericType(precision: number, scale: number, declared?: string): LogicalType<string> {
  const wholeDigits = precision - scale;
  return Object.freeze({
    kind: "numeric",
    precision,
    scale,
    ...(declared === undefined ? {} : { declared }),
    accept(value: unknown): string {
      if (typeof value !== "string") return refuse("it takes a decimal number as a string", value);
      const match = DECIMAL.exec(value);
      if (match === null) return refuse('it takes a decimal number such as "-12.50"', value);
      const [, sign, given = "", decimals = ""] = match;
      const kept = decimals.slice(0, endOfDigits(decimals));
      if (kept.length > scale)
        throw new Refusal(`it takes at most ${scale} decimals, and the value has ${kept.length}`);
      const whole = given.slice(startOfDigits(given)) || "0";
      const digits = whole === "0" ? 0 : whole.length;
      if (digits > wholeDigits) {
        throw new Refusal(
          `it takes at most ${wholeDigits} digits before the decimal point, and the value has ${digits}`,
        );
      }
      const text = scale === 0 ? whole : `${whole}.${kept.padEnd(scale, "0")}`;
      return sign === "-" && /[1-9]/.test(text) ? `-${text}` : text;
    },
  });
}

// Loops, since `/^0*/` and `/0+$/` take time by the square of the length on crafted text.

/** Where the zeros in front end. */
function startOfDigits(text: string): number {
  let start = 0;
  while (text.charCodeAt(start) === ZERO) start++;
  return start;
}

/** Where the zeros behind begin. */
function endOfDigits(text: string): number {
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end--;
  return end;
}

/**
 * A column of exact decimal numbers, a `string` with `scale` decimals in JavaScript.
 *
 * Exact, and compared and calculated with by value, on every database. SQLite has no such type: there multibind keeps text
 * that sorts by value, which SQL of your own reads by `number(column)`.
 *
 * @param precision the most digits in all, up to 65
 * @param scale the digits after the decimal point. Defaults to 0
 * @throws {SchemaError} if precision and scale do not go together
 *
 * @see SQLAlchemy: `Numeric(precision, scale)`
 */
export function numeric(precision: number, scale = 0): Column<string> {
  const valid = Number.isInteger(precision) && Number.isInteger(scale);
  if (!valid || precision < 1 || precision > MOST_DIGITS || scale < 0 || scale > Math.min(precision, 30)) {
    throw new SchemaError(
      `numeric(${precision}, ${scale}) is not possible: ` +
        `the precision is from 1 to ${MOST_DIGITS}, the scale from 0 to the precision and at most 30.`,
    );
  }
  return new Column({ type: numericType(precision, scale) });
}
