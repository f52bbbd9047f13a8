import { requireKnownOptions } from "../../known-options.ts";
import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

const DATE_TEXT = /^(\d{4})-(\d{2})-(\d{2})$/;
const TIME_TEXT = /^([01]\d|2[0-3]):([0-5]\d):([0-5]\d)(\.\d{3})?$/;
const TIMESTAMP_TEXT = /^(\d{4}-\d{2}-\d{2})T((?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(?:\.(\d{1,6}))?Z$/;
const FIRST_INSTANT = new Date("0001-01-01T00:00:00.000Z").getTime();
const LAST_INSTANT = new Date("9999-12-31T23:59:59.999Z").getTime();

function isCalendarDate(text: string): boolean {
  const match = DATE_TEXT.exec(text);
  if (match === null || match[1] === "0000") return false;
  const date = new Date(`${text}T00:00:00.000Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text);
}

const DATE: LogicalType<string> = Object.freeze({
  kind: "date",
  accept(value: unknown): string {
    if (typeof value !== "string") return refuse('it takes a date as a string such as "2026-01-31"', value);
    if (!isCalendarDate(value)) throw new Refusal('it takes an existing date from "0001-01-01" to "9999-12-31"');
    return value;
  },
});

const TIME: LogicalType<string> = Object.freeze({
  kind: "time",
  accept(value: unknown): string {
    if (typeof value !== "string") return refuse('it takes a time as a string such as "23:59:59"', value);
    if (!TIME_TEXT.test(value))
      throw new Refusal('it takes a time from "00:00:00" to "23:59:59.999", with three decimals or none');
    return value.endsWith(".000") ? value.slice(0, 8) : value;
  },
});

const TIMESTAMP: LogicalType<Date> = Object.freeze({
  kind: "timestamp",
  accept(value: unknown): Date {
    if (!(value instanceof Date)) return refuse("it takes a Date", value);
    const instant = value.getTime();
    if (Number.isNaN(instant)) throw new Refusal("it takes a valid Date");
    if (instant < FIRST_INSTANT || instant > LAST_INSTANT) throw new Refusal("it takes a Date of the years 1 to 9999");
    return value;
  },
});

const TIMESTAMP_AS_TEXT: LogicalType<string> = Object.freeze({
  kind: "timestamp",
  asText: true,
  accept(value: unknown): string {
    if (typeof value !== "string")
      return refuse('it takes an instant as a string such as "2026-01-31T12:00:00.123456Z"', value);
    const match = TIMESTAMP_TEXT.exec(value);
    if (match === null || !isCalendarDate(match[1]!)) {
      throw new Refusal(
        'it takes an existing instant such as "2026-01-31T12:00:00.123456Z", with at most six decimals',
      );
    }
    const fraction = (match[3] ?? "").replace(/0+$/, "");
    return `${match[1]}T${match[2]}${fraction === "" ? "" : `.${fraction}`}Z`;
  },
});

/**
 * A column of calendar dates, as strings `YYYY-MM-DD` from year 1 to 9999.
 *
 * @see SQLAlchemy: `Date`
 */
export function date(): Column<string> {
  return new Column({ type: DATE });
}

/**
 * A column of times of day, as strings `HH:MM:SS` or `HH:MM:SS.fff`.
 *
 * @see SQLAlchemy: `Time`
 */
export function time(): Column<string> {
  return new Column({ type: TIME });
}

/**
 * A column of instants, a `Date` in JavaScript: stored in UTC with milliseconds on every database.
 *
 * A stored value that is finer than a millisecond is not rounded but refused with a `PrecisionError`. With
 * `{ text: true }` the column holds strings such as `2026-01-31T12:00:00.123456Z` instead, up to microseconds.
 *
 * @see SQLAlchemy: `DateTime(timezone=True)`
 */
export function timestamp(options?: { readonly text?: false }): Column<Date>;
export function timestamp(options: { readonly text: true }): Column<string>;
export function timestamp(options: { readonly text?: boolean } = {}): Column<Date> | Column<string> {
  requireKnownOptions(options, ["text"], "timestamp()");
  return options.text === true
    ? new Column<string>({ type: TIMESTAMP_AS_TEXT })
    : new Column<Date>({ type: TIMESTAMP });
}
