import type { LogicalType } from "../../schema/logical-type.ts";
import { enumerationType } from "../../schema/types/enumeration.ts";
import { nativeType } from "../../schema/types/native.ts";
import { char, type TextOptions, varchar } from "../../schema/types/string.ts";
import type { ReflectedCheck, ReflectedColumn } from "./reflected-table.ts";

/** The longest that `varchar` and `char` describe. */
const MOST_CHARACTERS = 16_383;

/** The type of text of limited length; the declared one where it is longer than any database here allows. */
export function limitedText(
  kind: "varchar" | "char",
  length: number,
  declared: string,
  options?: TextOptions,
): LogicalType {
  if (length < 1 || length > MOST_CHARACTERS) return nativeType(declared);
  return (kind === "varchar" ? varchar : char)(length, options).definition.type;
}

/** A condition that a column has one of several texts. */
export interface ValueList {
  readonly column: string;
  readonly values: readonly string[];
}

/** The checks that remain after those of enumerations have become the types of their columns. */
export interface RecognizedEnumerations {
  readonly columns: readonly ReflectedColumn[];
  readonly checks: readonly ReflectedCheck[];
}

/**
 * Turns columns back into enumerations that are declared as `createAll` declares them: as long as the longest value,
 * with a check that lists the values.
 *
 * @param valueList reads a check's SQL, if that is what it says
 */
export function recognizeEnumerations(
  columns: readonly ReflectedColumn[],
  checks: readonly ReflectedCheck[],
  valueList: (expression: string) => ValueList | undefined,
): RecognizedEnumerations {
  const types = new Map<string, LogicalType>();
  const others = checks.filter(({ expression }) => {
    const list = valueList(expression);
    const column = list && columns.find(({ name }) => name === list.column);
    if (list === undefined || column?.type.kind !== "varchar" || types.has(column.name)) return true;
    if (column.type.length !== Math.max(...list.values.map((value) => value.length))) return true;
    types.set(column.name, enumerationType(list.values));
    return false;
  });
  return {
    columns: columns.map((column) => ({ ...column, type: types.get(column.name) ?? column.type })),
    checks: others,
  };
}
