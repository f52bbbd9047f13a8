import { SchemaError } from "../../errors/schema.ts";
import { Column } from "../column.ts";
import { type LogicalType, Refusal, refuse } from "../logical-type.ts";

/** The description behind {@link enumeration}. */
export function enumerationType<V extends string>(values: readonly V[]): LogicalType<V> {
  const allowed = new Set<unknown>(values);
  return Object.freeze({
    kind: "enumeration",
    values: Object.freeze([...values]),
    accept(value: unknown): V {
      if (typeof value !== "string") return refuse(`it takes one of ${listed(values)}`, value);
      if (!allowed.has(value)) throw new Refusal(`it takes one of ${listed(values)}`);
      // The set holds nothing but members of V.
      return value as V;
    },
  });
}

function isStorable(value: unknown): boolean {
  return typeof value === "string" && value !== "" && value.isWellFormed() && !value.includes("\0");
}

function listed(values: readonly string[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

/**
 * A column that holds one of a few strings. The database checks it too, by a constraint.
 *
 * @param values the strings allowed, each once
 * @throws {SchemaError} if there is no value, or one of them twice, or one is empty or no text that can be stored
 *
 * @example
 * enumeration(["draft", "published"])      // "draft" | "published"
 *
 * @see SQLAlchemy: `Enum(native_enum=False)`
 */
export function enumeration<const V extends readonly string[]>(values: V): Column<V[number]> {
  if (values.length === 0 || new Set(values).size !== values.length || !values.every(isStorable)) {
    throw new SchemaError(
      "An enumeration needs at least one value. Values are well-formed strings that are not empty, have no character U+0000 and differ from each other.",
    );
  }
  return new Column({ type: enumerationType<V[number]>(values) });
}
