import { SchemaError } from "../../errors/schema.ts";
import { requireKnownOptions } from "../../known-options.ts";
import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

/** What may be said of a column of text beyond its length. */
export interface TextOptions {
  /**
   * The collation on MySQL and MariaDB instead of `utf8mb4_bin`, for example `"utf8mb4_unicode_ci"`. With `utf8mb4_bin`
   * spaces at the end do not count in comparisons; with `"utf8mb4_nopad_bin"` (MariaDB) or `"utf8mb4_0900_bin"` (MySQL)
   * they do, as on the other databases.
   */
  readonly mysqlCollation?: string;
}

const TEXT_OPTIONS: readonly (keyof TextOptions)[] = ["mysqlCollation"];
const MOST_CHARACTERS = 16_383;

function checkText(value: unknown): string {
  if (typeof value !== "string") return refuse("it takes a string", value);
  if (value.includes("\0"))
    throw new Refusal("it takes text without the character U+0000, which not every database can store");
  if (!value.isWellFormed())
    throw new Refusal("it takes well-formed Unicode, and the value has half of a surrogate pair");
  return value;
}

function charactersIn(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function limitedType(kind: "varchar" | "char", length: number, options: TextOptions): LogicalType<string> {
  requireKnownOptions(options, TEXT_OPTIONS, `${kind}()`);
  if (!Number.isInteger(length) || length < 1 || length > MOST_CHARACTERS) {
    throw new SchemaError(
      `${kind}(${length}) is not possible: the length is an integer from 1 to ${MOST_CHARACTERS}. Use text() for more.`,
    );
  }
  return Object.freeze({
    kind,
    length,
    ...options,
    accept(value: unknown): string {
      const text = checkText(value);
      if (text.length > length) {
        const count = charactersIn(text);
        if (count > length) throw new Refusal(`it takes at most ${length} characters, and the value has ${count}`);
      }
      return text;
    },
  });
}

function textType(options: TextOptions): LogicalType<string> {
  requireKnownOptions(options, TEXT_OPTIONS, "text()");
  return Object.freeze({ kind: "text", ...options, accept: checkText });
}

const TEXT = textType({});

/**
 * A column of text of limited length. Comparison and uniqueness tell upper from lower case on every database.
 *
 * @param length the most characters, counted as Unicode code points
 * @throws {SchemaError} if the length is not an integer from 1 to 16,383
 *
 * @see SQLAlchemy: `String(length)`
 */
export function varchar(length: number, options: TextOptions = {}): Column<string> {
  return new Column({ type: limitedType("varchar", length, options) });
}

/**
 * A column of short text of limited length, given back as it was stored: nothing is padded or cut.
 *
 * @param length the most characters, counted as Unicode code points
 * @throws {SchemaError} if the length is not an integer from 1 to 16,383
 *
 * @see SQLAlchemy: `CHAR(length)`
 */
export function char(length: number, options: TextOptions = {}): Column<string> {
  return new Column({ type: limitedType("char", length, options) });
}

/**
 * A column of text of any length.
 *
 * @see SQLAlchemy: `Text`
 */
export function text(options?: TextOptions): Column<string> {
  return new Column({ type: options === undefined ? TEXT : textType(options) });
}
