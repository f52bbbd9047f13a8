/** The kinds of column that every database family knows how to store. */
export type TypeKind =
  | "smallint"
  | "integer"
  | "bigint"
  | "numeric"
  | "float"
  | "boolean"
  | "varchar"
  | "char"
  | "text"
  | "date"
  | "time"
  | "timestamp"
  | "json"
  | "binary"
  | "uuid"
  | "enumeration"
  | "native";

/**
 * The kind of values that a column holds, independent of any database: a frozen description, and the rule that says which values fit.
 *
 * @see SQLAlchemy: `sqlalchemy.types.TypeEngine`
 */
export interface LogicalType<S = unknown> {
  readonly kind: TypeKind;
  /** `varchar`, `char`: the most characters that fit. */
  readonly length?: number;
  /** `numeric`: the most digits in all. */
  readonly precision?: number;
  /** `numeric`: the digits behind the decimal point. */
  readonly scale?: number;
  /** `enumeration`: the values allowed. */
  readonly values?: readonly string[];
  /** `timestamp`: read and written as text, with the database's full precision. */
  readonly asText?: boolean;
  /** `native`: the type as the database writes it; other kinds: how a reflected column is declared, where that changes how values are stored. */
  readonly declared?: string;
  /** `varchar`, `char`, `text`: the collation on MySQL and MariaDB. */
  readonly mysqlCollation?: string;
  /**
   * Checks a value and returns it in its canonical form.
   *
   * @throws {Refusal} if the value does not fit the type
   */
  accept(value: unknown): S;
}

/** The reason why a type does not take a value. Code that knows the column turns it into an `InvalidValueError` that names it. */
export class Refusal extends Error {}

/** Describes a value in a refusal without repeating it: errors are logged, and values are the application's data. */
export function describeValue(value: unknown): string {
  switch (typeof value) {
    case "number":
      return describeNumber(value);
    case "string":
      return `a string of ${value.length} characters`;
    case "undefined":
      return "undefined";
    case "object": {
      if (value === null) return "null";
      const name = Object.getPrototypeOf(value)?.constructor?.name;
      return typeof name === "string" && name !== "" ? `an object of class ${name}` : "an object";
    }
    default:
      return `a ${typeof value}`;
  }
}

function describeNumber(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  return Number.isInteger(value) ? "a whole number" : "a number with a fraction";
}

/** Refuses `value`, saying what the type wants instead. */
export function refuse(wanted: string, value: unknown): never {
  throw new Refusal(`${wanted}, not ${describeValue(value)}`);
}
