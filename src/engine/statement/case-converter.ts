import { type CaseNode, type OperationNode, ValueNode } from "kysely";
import type { ColumnConverter } from "../values/column-converter.ts";
import { NamedParameter } from "./placeholders.ts";

/**
 * What reads a case: its results are columns of one type, and values that such a column takes. Undefined for others, which
 * come as the driver reads them.
 *
 * @param converterOf what reads a result, where that is known
 */
export function caseConverter(
  { when = [], else: otherwise }: CaseNode,
  converterOf: (result: OperationNode) => ColumnConverter | undefined,
): ColumnConverter | undefined {
  const results = [...when.map(({ result }) => result), otherwise].filter((node) => node !== undefined);
  const converters = results.filter((node) => !ValueNode.is(node)).map(converterOf);
  const [first] = converters;
  if (first === undefined || !converters.every((one) => one !== undefined && isOfOneType(first, one))) return undefined;
  return results.every((node) => !ValueNode.is(node) || isTakenBy(first, node.value)) ? first : undefined;
}

function isOfOneType(one: ColumnConverter, other: ColumnConverter): boolean {
  if (one === other) return true;
  const [{ type }, { type: otherType }] = [one.column.definition, other.column.definition];
  return (
    one.constructor === other.constructor &&
    type.kind === otherType.kind &&
    type.asText === otherType.asText &&
    type.scale === otherType.scale &&
    type.declared === otherType.declared
  );
}

function isTakenBy({ column }: ColumnConverter, value: unknown): boolean {
  if (value === null || value instanceof NamedParameter) return true;
  try {
    column.definition.type.accept(value);
    return true;
  } catch {
    return false;
  }
}
