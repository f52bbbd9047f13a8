import {
  type AggregateFunctionNode,
  type AliasNode,
  type BinaryOperationNode,
  type FunctionNode,
  type OperationNode,
  OperatorNode,
  type ParensNode,
  type RawNode,
  type ReferenceNode,
  type SelectQueryNode,
  type UnaryOperationNode,
} from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { mayHoldValue } from "./comparisons.ts";
import { handsOn } from "./functions.ts";
import { mapNode, soleChild, withList } from "./nodes.ts";
import type { Opposite, ValueWriter } from "./parameters.ts";
import type { Resolver } from "./resolver.ts";
import type { Scope } from "./scope.ts";
import type { Translator } from "./translator.ts";

const ARITHMETIC: ReadonlySet<string> = new Set(["+", "-", "*", "/", "%"]);
const SUMS: ReadonlySet<string> = new Set(["sum", "avg"]);
const NUMERIC_FUNCTIONS: ReadonlySet<string> = new Set(["abs", "round"]);

type Calculation = BinaryOperationNode | UnaryOperationNode | AggregateFunctionNode | FunctionNode;
type Expression = Calculation | ParensNode | AliasNode | RawNode | ReferenceNode | SelectQueryNode;

/**
 * Translates a calculation with decimals, where the database keeps those as text; undefined for anything else.
 *
 * @param opposite what the result is written to
 */
export function translateCalculation(
  translator: Translator,
  node: OperationNode,
  scope: Scope,
  opposite: Opposite,
): OperationNode | undefined {
  const column = calculatedFrom(translator.resolver, node, scope);
  if (column === undefined) return undefined;
  // The kind tells which of them it is; others are no calculations themselves.
  const calculation = node as Calculation;
  const numeric = (operand: OperationNode) => translateNumber(translator, operand, scope);
  switch (calculation.kind) {
    case "BinaryOperationNode": {
      const operands = {
        leftOperand: numeric(calculation.leftOperand),
        rightOperand: numeric(calculation.rightOperand),
      };
      return written(translator, Object.freeze({ ...calculation, ...operands }), opposite);
    }
    case "UnaryOperationNode":
      return written(translator, Object.freeze({ ...calculation, operand: numeric(calculation.operand) }), opposite);
    case "FunctionNode":
      if (handsOn(calculation.func)) return undefined;
      return written(translator, withList(calculation, "arguments", calculation.arguments.map(numeric)), opposite);
    case "AggregateFunctionNode":
      return SUMS.has(calculation.func.toLowerCase())
        ? written(translator, translateSum(translator, calculation, scope), opposite)
        : undefined;
    default:
      return undefined;
  }
}

/** Translates the sides of a comparison of which at least one is calculated from decimals; undefined for any other. */
export function translateCompared(
  translator: Translator,
  node: BinaryOperationNode,
  scope: Scope,
): BinaryOperationNode | undefined {
  const { resolver, engine } = translator;
  if (engine.family.decimals === undefined) return undefined;
  const { leftOperand, rightOperand } = node;
  const column = calculatedFrom(resolver, leftOperand, scope) ?? calculatedFrom(resolver, rightOperand, scope);
  if (column === undefined) return undefined;
  const side = (operand: OperationNode) =>
    mayHoldValue(operand) && calculatedFrom(resolver, operand, scope) === undefined
      ? translator.translate(operand, scope, numberWriter(column))
      : translateNumber(translator, operand, scope);
  return Object.freeze({ ...node, leftOperand: side(leftOperand), rightOperand: side(rightOperand) });
}

/** The column from whose decimals an expression is calculated, where the database keeps those as text. */
export function calculatedFrom(resolver: Resolver, node: OperationNode, scope: Scope): TableColumn | undefined {
  if (resolver.family.decimals === undefined) return undefined;
  const anyOf = (operands: readonly OperationNode[]) => {
    for (const operand of operands) {
      const column = calculatedFrom(resolver, operand, scope) ?? decimalColumn(resolver, operand, scope);
      if (column !== undefined) return column;
    }
    return undefined;
  };
  // The kind tells which of them it is; others fall through.
  const expression = node as Expression;
  switch (expression.kind) {
    case "BinaryOperationNode":
      return ARITHMETIC.has(operatorOf(expression))
        ? anyOf([expression.leftOperand, expression.rightOperand])
        : undefined;
    case "UnaryOperationNode":
      return operatorOf(expression) === "-" ? anyOf([expression.operand]) : undefined;
    case "AggregateFunctionNode":
      return calculatedByFunction(expression.func, SUMS, expression.aggregated);
    case "FunctionNode":
      return calculatedByFunction(expression.func, NUMERIC_FUNCTIONS, expression.arguments);
    case "SelectQueryNode":
      return resolver.soleOutput(expression, scope)?.calculatedFrom;
    case "AliasNode":
    case "ParensNode":
      return calculatedFrom(resolver, expression.node, scope);
    case "RawNode": {
      const child = soleChild(expression);
      return child === undefined ? undefined : calculatedFrom(resolver, child, scope);
    }
    case "ReferenceNode": {
      const { column } = expression;
      return column.kind === "ColumnNode"
        ? scope.relationOf(expression)?.calculatedFrom(column.column.name)
        : undefined;
    }
    default:
      return undefined;
  }

  function calculatedByFunction(name: string, calculating: ReadonlySet<string>, operands: readonly OperationNode[]) {
    if (calculating.has(name.toLowerCase())) return anyOf(operands.slice(0, 1));
    if (!handsOn(name)) return undefined;
    for (const operand of operands) {
      const column = calculatedFrom(resolver, operand, scope);
      if (column !== undefined) return column;
    }
    return undefined;
  }
}

/** A sum of the smallest units is exact. */
function translateSum(translator: Translator, node: AggregateFunctionNode, scope: Scope): OperationNode {
  const { resolver } = translator;
  const [operand] = node.aggregated;
  const column =
    calculatedFrom(resolver, operand!, scope) === undefined ? decimalColumn(resolver, operand!, scope) : undefined;
  const sum = mapNode(node, (child, property) =>
    property === "aggregated"
      ? [column === undefined ? translator.translate(operand!, scope) : units(translator, operand!, column, scope)]
      : translator.translateProperty(child, scope),
  );
  return column === undefined ? sum : translator.engine.family.decimals!.fromUnits(column.definition.type, sum);
}

/** Translates an operand so that it is a number. */
function translateNumber(translator: Translator, node: OperationNode, scope: Scope): OperationNode {
  const { resolver, engine } = translator;
  const column = calculatedFrom(resolver, node, scope) === undefined ? decimalColumn(resolver, node, scope) : undefined;
  if (column === undefined) return translator.translate(node, scope);
  return engine.family.decimals!.fromUnits(column.definition.type, units(translator, node, column, scope));
}

function units(translator: Translator, node: OperationNode, column: TableColumn, scope: Scope): OperationNode {
  return translator.engine.family.decimals!.units(column.definition.type, translator.translate(node, scope));
}

/** The column whose text an expression gives, if its values are decimals. */
function decimalColumn(resolver: Resolver, node: OperationNode, scope: Scope): TableColumn | undefined {
  const column = resolver.converter(node, scope)?.column;
  return column !== undefined && resolver.family.decimals!.isText(column.definition.type) ? column : undefined;
}

/**
 * A calculated number as it is written to a column.
 *
 * @throws {UnsupportedError} if the column's decimals have more digits than a calculation
 */
function written({ engine }: Translator, calculated: OperationNode, opposite: Opposite): OperationNode {
  const { decimals } = engine.family;
  if (opposite === undefined || !("column" in opposite)) return calculated;
  const { column } = opposite;
  if (!decimals!.isText(column.definition.type)) return calculated;
  const text = decimals!.text(column.definition.type, calculated);
  if (text !== undefined) return text;
  throw new UnsupportedError(
    `${engine.family.label} does not calculate with as many digits as "${column.table.fullName}.${column.property}" ` +
      `(${bindLabel(engine.bindKey)}) holds. Read the value, calculate in JavaScript, and write the result.`,
    { bindKey: engine.bindKey },
  );
}

/** How a value is made that is compared with a calculated number: decimal text would be greater than any number. */
function numberWriter(column: TableColumn): ValueWriter {
  return {
    column,
    write: (value) => {
      if (typeof value !== "string") return value;
      const number = value.trim() === "" ? Number.NaN : Number(value);
      if (Number.isNaN(number)) throw column.refusal("it is compared with a number, and is none");
      return number;
    },
  };
}

function operatorOf({ operator }: BinaryOperationNode | UnaryOperationNode): string {
  return OperatorNode.is(operator) ? operator.operator : "";
}
