import {
  type AggregateFunctionNode,
  type BinaryOperationNode,
  type CastNode,
  FunctionNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  SelectQueryNode,
  type UnaryOperationNode,
  ValueNode,
} from "kysely";
import type { LogicalType } from "../../schema/logical-type.ts";
import type { DecimalFunction, InstantText } from "../family.ts";
import type { ColumnConverter } from "../values/column-converter.ts";
import { DecimalConverter } from "./decimal-converter.ts";
import { handsOn } from "./functions.ts";
import { isNode, mapList, mapNode, withList } from "./nodes.ts";
import type { ValueWriter } from "./parameters.ts";
import type { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import { ARITHMETIC, type CommonKind, commonKind, type StoredKind, storedKind } from "./stored-kind.ts";
import type { Translator } from "./translator.ts";

type Calculation = BinaryOperationNode | UnaryOperationNode | FunctionNode | AggregateFunctionNode | CastNode;

const INTEGER_BITS = { smallint: 16, integer: 32, bigint: 64 } as const;

/** Functions of decimals that have a name of their own where decimals are text. */
const OWN: Readonly<Record<string, DecimalFunction>> = { sum: "sum", avg: "avg", abs: "absolute", round: "round" };

/** Functions that take decimals in their stored form: they return one of them, or count them. */
const AS_KEPT: ReadonlySet<string> = new Set([...["count", "lag", "lead", "first_value", "last_value", "nth_value"]]);

/**
 * Translates a calculation with decimals, where the database keeps those as text; undefined for anything else. The
 * result of decimals and integers alone is a decimal, exact and stored like those of columns.
 */
export function translateCalculation(
  translator: Translator,
  node: OperationNode,
  scope: Scope,
): OperationNode | undefined {
  // The kind tells which of them it is; others are no calculations.
  const calculation = node as Calculation;
  switch (calculation.kind) {
    case "BinaryOperationNode":
      return translateArithmetic(translator, calculation, scope);
    case "UnaryOperationNode": {
      const isNegation = OperatorNode.is(calculation.operator) && calculation.operator.operator === "-";
      return isNegation && isDecimal(translator, calculation.operand, scope)
        ? called(translator, "negative", [translator.translate(calculation.operand, scope)])
        : undefined;
    }
    case "FunctionNode": {
      const { func, arguments: operands } = calculation;
      const translated = translateOperands(translator, func, operands, scope);
      if (translated === undefined) return undefined;
      const own = OWN[func.toLowerCase()];
      if (own === undefined) return withList(calculation, "arguments", translated);
      return called(translator, own, own === "round" ? [translated[0]!, translated[1] ?? number(0)] : translated);
    }
    case "AggregateFunctionNode": {
      const { func, aggregated } = calculation;
      const translated = translateOperands(translator, func, aggregated, scope);
      if (translated === undefined) return undefined;
      const own = OWN[func.toLowerCase()];
      const name = own === undefined ? func : translator.engine.family.decimals!.name(own);
      const parts = mapNode(calculation, (child, property) =>
        property === "aggregated" ? translated : translator.translateProperty(child, scope),
      );
      return Object.freeze({ ...parts, func: name });
    }
    case "CastNode":
      return translateCast(translator, calculation, scope);
    default:
      return undefined;
  }
}

function translateArithmetic(
  translator: Translator,
  node: BinaryOperationNode,
  scope: Scope,
): OperationNode | undefined {
  const { leftOperand, rightOperand } = node;
  const operator = OperatorNode.is(node.operator) ? node.operator.operator : "";
  if (operator === "||") {
    if (!isDecimal(translator, leftOperand, scope) && !isDecimal(translator, rightOperand, scope)) return undefined;
    const [left, right] = [asText(translator, leftOperand, scope), asText(translator, rightOperand, scope)];
    return Object.freeze({ ...node, leftOperand: left, rightOperand: right });
  }
  if (!(operator in ARITHMETIC)) return undefined;
  const { resolver } = translator;
  const kinds = [storedKind(resolver, leftOperand, scope), storedKind(resolver, rightOperand, scope)];
  const common = commonKind(kinds);
  if (common === undefined || common.kind === "instant") return undefined;
  if (common.kind === "decimal") {
    // The functions take numbers of every kind.
    const writer = writerFor(translator, common);
    const operands = [leftOperand, rightOperand].map(
      (operand) => literal(translator, operand) ?? translator.translate(operand, scope, writer),
    );
    // The operator is among the keys, as was asked above.
    return called(translator, ARITHMETIC[operator as keyof typeof ARITHMETIC], operands);
  }
  const [left, right] = [leftOperand, rightOperand].map((operand) =>
    translateTo(translator, operand, scope, { kind: "real" }),
  );
  return Object.freeze({ ...node, leftOperand: left!, rightOperand: right! });
}

/** The arguments of a function, of which at least one is a decimal; undefined where none is. */
function translateOperands(
  translator: Translator,
  func: string,
  operands: readonly OperationNode[],
  scope: Scope,
): readonly OperationNode[] | undefined {
  const { resolver } = translator;
  const name = func.toLowerCase();
  const common = commonKind(operands.map((operand) => storedKind(resolver, operand, scope)));
  if (common === undefined) return undefined;
  if (handsOn(name) || name === "nullif") {
    return mapList(operands, (operand) => translateTo(translator, operand, scope, common));
  }
  if (common.kind === "instant") return undefined;
  const takesDecimals = name in OWN || AS_KEPT.has(name);
  return mapList(operands, (operand) =>
    takesDecimals ? translator.translate(operand, scope) : asText(translator, operand, scope),
  );
}

function translateCast(translator: Translator, node: CastNode, scope: Scope): OperationNode | undefined {
  const { expression, dataType } = node;
  if (!isDecimal(translator, expression, scope)) return undefined;
  const type = "dataType" in dataType ? String(dataType.dataType) : "";
  const translated = translator.translate(expression, scope);
  if (/int/.test(type))
    return Object.freeze({
      ...node,
      expression: called(translator, "integer", [translated, number(INTEGER_BITS.bigint)]),
    });
  if (/real|double|float/.test(type))
    return Object.freeze({ ...node, expression: called(translator, "real", [translated]) });
  return Object.freeze({ ...node, expression: asText(translator, expression, scope) });
}

/** Translates an expression such that it gives a number of the kind that numbers beside it are brought to. */
export function translateTo(translator: Translator, node: OperationNode, scope: Scope, to: CommonKind): OperationNode {
  if (ParensNode.is(node))
    return mapNode(node, (child) => (isNode(child) ? translateTo(translator, child, scope, to) : child));
  const { resolver } = translator;
  if (SelectQueryNode.is(node)) return translateSelect(translator, node, resolver.open(node, scope), { numbers: [to] });
  const written = to.kind === "decimal" ? literal(translator, node) : undefined;
  if (written !== undefined) return written;
  const kind = storedKind(resolver, node, scope);
  const translated = translator.translate(node, scope, writerFor(translator, to));
  return brought(translator, translated, kind, to, isNullValue(node));
}

/** An expression, translated already, as a number of the kind that those beside it are brought to. */
export function brought(
  translator: Translator,
  translated: OperationNode,
  kind: StoredKind | undefined,
  to: CommonKind,
  isNull = false,
): OperationNode {
  const isImmediate = ValueNode.is(translated) && translated.immediate === true;
  if (isNull || (kind?.kind === "value" && !isImmediate)) return translated;
  if (to.kind === "instant")
    return kind?.kind === "date" ? translator.engine.family.instants!.ofDate(translated) : translated;
  if (to.kind === "decimal") return kind?.kind === "decimal" ? translated : called(translator, "decimal", [translated]);
  const real = kind?.kind === "decimal" ? called(translator, "real", [translated]) : translated;
  return to.scale === undefined ? real : FunctionNode.create("round", [real, number(to.scale)]);
}

/**
 * An expression, translated already, as a column keeps its values: a decimal is rounded to the column's decimal places, as
 * servers do when they copy, and becomes an integer, a floating-point number or text where the column holds those.
 */
export function written(
  translator: Translator,
  translated: OperationNode,
  kind: StoredKind | undefined,
  type: LogicalType,
): OperationNode {
  const { decimals, instants } = translator.engine.family;
  if (decimals === undefined || isNullValue(translated)) return translated;
  if (instants !== undefined && (kind?.kind === "date" || kind?.kind === "instant"))
    return writtenInstant(instants, translated, kind, type);
  if (decimals.isText(type)) {
    const isImmediate = ValueNode.is(translated) && translated.immediate === true;
    const fits = kind?.kind === "decimal" && kind.scale !== undefined && kind.scale <= type.scale!;
    if (fits || (kind?.kind === "value" && !isImmediate)) return translated;
    return called(translator, "round", [translated, number(type.scale!)]);
  }
  if (kind?.kind !== "decimal") return translated;
  switch (type.kind) {
    case "smallint":
    case "integer":
    case "bigint":
      return called(translator, "integer", [translated, number(INTEGER_BITS[type.kind])]);
    case "float":
    case "numeric":
      return called(translator, "real", [translated]);
    case "varchar":
    case "char":
    case "text":
      return textOf(translator, translated, kind);
    default:
      return translated;
  }
}

function writtenInstant(
  instants: InstantText,
  translated: OperationNode,
  from: Extract<StoredKind, { kind: "date" | "instant" }>,
  { kind, asText }: LogicalType,
): OperationNode {
  if (from.kind === "date") return kind === "timestamp" ? instants.ofDate(translated) : translated;
  if (kind === "date" || kind === "time") return instants[kind](translated);
  return kind === "timestamp" && asText !== true && from.isFine === true
    ? instants.milliseconds(translated)
    : translated;
}

/** Translates an expression that is written to a column. */
export function translateWritten(
  translator: Translator,
  node: OperationNode,
  scope: Scope,
  converter: ColumnConverter | undefined,
): OperationNode {
  const translated = translator.translate(node, scope, converter);
  if (converter === undefined || translator.engine.family.decimals === undefined) return translated;
  const kind = storedKind(translator.resolver, node, scope);
  return written(translator, translated, kind, converter.column.definition.type);
}

/** A number that is written into the statement, as decimals are kept; undefined for anything else. */
function literal(translator: Translator, node: OperationNode): ValueNode | undefined {
  if (!ValueNode.is(node) || node.immediate !== true) return undefined;
  const isNumber = typeof node.value === "number" || typeof node.value === "bigint";
  return isNumber
    ? ValueNode.createImmediate(new DecimalConverter(undefined, translator.engine).write(node.value))
    : undefined;
}

/** How values are made that stand opposite numbers of a kind. */
function writerFor({ engine }: Translator, { kind }: CommonKind): ValueWriter | undefined {
  const decimal = new DecimalConverter(undefined, engine);
  if (kind === "instant") return undefined;
  if (kind === "decimal") return decimal;
  return {
    column: decimal.column,
    write: (value) => {
      if (typeof value !== "string") return value;
      const number = value.trim() === "" ? Number.NaN : Number(value);
      if (Number.isNaN(number))
        throw decimal.column.refusal("it stands opposite a number, and is not a number", { status: 400 });
      return number;
    },
  };
}

function isDecimal({ resolver }: Translator, node: OperationNode, scope: Scope): boolean {
  return storedKind(resolver, node, scope)?.kind === "decimal";
}

/** Translates an operand of a function that takes text or any number: a decimal is plain text there. */
function asText(translator: Translator, node: OperationNode, scope: Scope): OperationNode {
  const kind = storedKind(translator.resolver, node, scope);
  const translated = translator.translate(node, scope);
  return kind?.kind === "decimal" ? textOf(translator, translated, kind) : translated;
}

function textOf(translator: Translator, translated: OperationNode, { scale }: { readonly scale: number | undefined }) {
  return scale === undefined
    ? called(translator, "plain", [translated])
    : called(translator, "text", [translated, number(scale)]);
}

function called({ engine }: Translator, name: DecimalFunction, operands: readonly OperationNode[]): FunctionNode {
  return FunctionNode.create(engine.family.decimals!.name(name), operands);
}

function number(value: number): ValueNode {
  return ValueNode.createImmediate(value);
}

function isNullValue(node: OperationNode): boolean {
  return ValueNode.is(node) && node.value === null;
}
