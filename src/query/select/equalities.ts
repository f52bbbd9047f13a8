import { ColumnNode, ExpressionWrapper, ReferenceNode, TableNode } from "kysely";
import { quotedName } from "../../errors/name-list.ts";
import { UndefinedValueError } from "../../errors/value.ts";
import { unknownProperty } from "../../model/unknown-property.ts";
import { SelectDraft } from "./select-draft.ts";
import { bindOf, rootSelection, type SelectParts } from "./select-parts.ts";

/**
 * A select with the condition that columns equal values: null means that the column is null, a list that it
 * is one of these.
 *
 * @throws {UnknownColumnError} if there is no such column
 * @throws {UndefinedValueError} if a value is undefined
 */
export function withEqualities(parts: SelectParts, values: Readonly<Record<string, unknown>>): SelectDraft {
  const { alias, mapper } = rootSelection(parts);
  let { draft } = parts;
  for (const [name, value] of Object.entries(values)) {
    const property = mapper.properties.find((one) => one.name === name);
    if (property === undefined) throw unknownProperty(mapper, name, alias);
    if (value === undefined) {
      throw new UndefinedValueError(
        `where() received undefined for ${quotedName(name)}. Omit the key, or pass null to match NULL.`,
        { ...bindOf(parts), table: mapper.table.fullName, column: name },
      );
    }
    const isList = Array.isArray(value) && property.column.definition.type.kind !== "json";
    const hasPoint = alias.includes(".") || name.includes(".");
    const column = hasPoint ? reference(alias, name) : `${alias}.${name}`;
    draft =
      typeof column === "string" && SelectDraft.isPlain("=", value)
        ? draft.where(column, "=", value)
        : SelectDraft.of(draft.builder.where(column, value === null ? "is" : isList ? "in" : "=", value));
  }
  return draft;
}

/** A column whose name or table's name has a point, where Kysely's text form would be cut. */
function reference(table: string, column: string): ExpressionWrapper<Record<string, never>, never, unknown> {
  return new ExpressionWrapper(ReferenceNode.create(ColumnNode.create(column), TableNode.create(table)));
}

/** Whether a condition is an object of values, not an expression. */
export function isEqualities(condition: unknown): condition is Readonly<Record<string, unknown>> {
  return (
    typeof condition === "object" &&
    condition !== null &&
    Object.getPrototypeOf(condition) === Object.prototype &&
    !("toOperationNode" in condition)
  );
}
