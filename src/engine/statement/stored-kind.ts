import {
  type AggregateFunctionNode,
  type AliasNode,
  type BinaryOperationNode,
  type CaseNode,
  type FunctionNode,
  type OperationNode,
  OperatorNode,
  type ParensNode,
  type PrimitiveValueListNode,
  type RawNode,
  type UnaryOperationNode,
  type ValueNode,
} from "kysely";
import type { ColumnConverter } from "../values/column-converter.ts";
import { handsOn } from "./functions.ts";
import { soleChild } from "./nodes.ts";
import type { Resolver } from "./resolver.ts";
import type { Scope } from "./scope.ts";

/** How a value is kept that an expression gives, on a database that keeps decimals and instants as text. */
export type StoredKind =
  /** A decimal as it is kept; without a scale, one of however many decimal places. */
  | { readonly kind: "decimal"; readonly scale: number | undefined }
  | { readonly kind: "integer" }
  /** A floating-point number; with a scale, of a column that another program declared as a decimal. */
  | { readonly kind: "real"; readonly scale?: number | undefined }
  /** A date, and an instant: without `isFine`, one of whole milliseconds. */
  | { readonly kind: "date" }
  | { readonly kind: "instant"; readonly isFine?: boolean }
  /** A value of the application, which is written as what stands opposite. */
  | { readonly kind: "value"; readonly scale: number | undefined };

/** The kinds that values of several kinds are brought to. */
export type CommonKind = Extract<StoredKind, { kind: "decimal" | "real" | "instant" }>;

type Expression =
  | BinaryOperationNode
  | UnaryOperationNode
  | CaseNode
  | FunctionNode
  | AggregateFunctionNode
  | AliasNode
  | ParensNode
  | RawNode
  | ValueNode
  | PrimitiveValueListNode;

/** The calculations that decimals are exact in. */
export const ARITHMETIC = {
  "+": "add",
  "-": "subtract",
  "*": "multiply",
  "/": "divide",
  "%": "remainder",
} as const;

/** Functions, other than those that return one of their arguments, whose result has the kind of their first argument. */
const OF_FIRST: ReadonlySet<string> = new Set([
  ...["abs", "round", "nullif", "sum"],
  ...["lag", "lead", "first_value", "last_value", "nth_value"],
]);

/** How the value is kept that an expression gives; undefined for other types, and where nothing is known of it. */
export function storedKind(resolver: Resolver, node: OperationNode, scope: Scope): StoredKind | undefined {
  const of = (operand: OperationNode | undefined) =>
    operand === undefined ? undefined : storedKind(resolver, operand, scope);
  // The kind tells which of them it is; others fall through.
  const expression = node as Expression;
  switch (expression.kind) {
    case "ValueNode":
      return { kind: "value", scale: decimalsOf(expression.value) };
    case "PrimitiveValueListNode":
      return { kind: "value", scale: undefined };
    case "AliasNode":
    case "ParensNode":
      return of(expression.node);
    case "RawNode": {
      const typed = resolver.typedConverter(expression);
      // A template need not give the text that a decimal is kept as.
      if (typed !== undefined)
        return isDecimal(resolver, typed) ? decimalOrNothing(of(expression.parameters[0])) : kindOf(resolver, typed);
      const child = soleChild(expression);
      return child === undefined ? undefined : of(child);
    }
    case "BinaryOperationNode":
      return OperatorNode.is(expression.operator)
        ? calculated(expression.operator.operator, of(expression.leftOperand), of(expression.rightOperand))
        : undefined;
    case "UnaryOperationNode":
      return OperatorNode.is(expression.operator) && expression.operator.operator === "-"
        ? of(expression.operand)
        : undefined;
    case "CaseNode":
      return mixed(resultsOf(expression).map(of));
    case "FunctionNode":
      return ofFunction(expression.func.toLowerCase(), expression.arguments.map(of));
    case "AggregateFunctionNode":
      return ofFunction(expression.func.toLowerCase(), expression.aggregated.map(of));
    default:
      return kindOf(resolver, resolver.converter(node, scope));
  }
}

/** How a column keeps its values. */
export function kindOf({ family }: Resolver, converter: ColumnConverter | undefined): StoredKind | undefined {
  if (converter === undefined || family.decimals === undefined) return undefined;
  const { type } = converter.column.definition;
  switch (type.kind) {
    case "smallint":
    case "integer":
    case "bigint":
      return { kind: "integer" };
    case "float":
      return { kind: "real" };
    case "numeric":
      return family.decimals.isText(type)
        ? { kind: "decimal", scale: converter.scale }
        : { kind: "real", scale: type.scale };
    case "date":
      return { kind: "date" };
    case "timestamp":
      return { kind: "instant", isFine: type.asText === true };
    default:
      return undefined;
  }
}

/**
 * What values of several kinds are brought to, so that they can be compared, or come from one expression; undefined where
 * they are neither decimals nor dates and instants.
 */
export function commonKind(kinds: readonly (StoredKind | undefined)[]): CommonKind | undefined {
  const has = (kind: StoredKind["kind"]) => kinds.some((one) => one?.kind === kind);
  if (has("date") && has("instant")) return { kind: "instant", isFine: true };
  if (!has("decimal")) return undefined;
  const reals = kinds.filter((one) => one?.kind === "real");
  if (reals.length > 0) {
    const scales = kinds.flatMap((one) => (one?.kind === "decimal" || one?.kind === "real" ? [one.scale] : []));
    const isDeclared = reals.every(({ scale }) => scale !== undefined);
    return { kind: "real", scale: isDeclared ? largest(scales) : undefined };
  }
  return { kind: "decimal", scale: largest(kinds.map(scaleOf)) };
}

/** The results of a case. */
export function resultsOf({ when = [], else: otherwise }: CaseNode): readonly OperationNode[] {
  return [...when.flatMap(({ result }) => result ?? []), ...(otherwise === undefined ? [] : [otherwise])];
}

function ofFunction(name: string, kinds: readonly (StoredKind | undefined)[]): StoredKind | undefined {
  if (handsOn(name)) return mixed(kinds);
  const [first] = kinds;
  if (name === "avg") return first?.kind === "decimal" ? { kind: "decimal", scale: undefined } : { kind: "real" };
  if (name === "count") return { kind: "integer" };
  if (!OF_FIRST.has(name)) return undefined;
  return name === "round" && first?.kind === "decimal" ? { kind: "decimal", scale: undefined } : first;
}

/** The kind of an expression with one of several results: the common kind of all. */
function mixed(kinds: readonly (StoredKind | undefined)[]): StoredKind | undefined {
  const common = commonKind(kinds);
  if (common !== undefined) return common;
  const others = kinds.filter((one) => one?.kind !== "value");
  const [first] = others;
  return others.every((one) => one?.kind === first?.kind) ? first : undefined;
}

function calculated(
  operator: string,
  left: StoredKind | undefined,
  right: StoredKind | undefined,
): StoredKind | undefined {
  if (!(operator in ARITHMETIC)) return undefined;
  const common = commonKind([left, right]);
  if (common === undefined) {
    if (left?.kind === "real" || right?.kind === "real") return { kind: "real" };
    return left?.kind === "integer" && right?.kind === "integer" ? { kind: "integer" } : undefined;
  }
  if (common.kind !== "decimal") return common.kind === "real" ? { kind: "real" } : undefined;
  if (operator === "/") return { kind: "decimal", scale: undefined };
  const [one, other] = [scaleOf(left), scaleOf(right)];
  if (one === undefined || other === undefined) return { kind: "decimal", scale: undefined };
  return { kind: "decimal", scale: operator === "*" ? one + other : Math.max(one, other) };
}

function scaleOf(kind: StoredKind | undefined): number | undefined {
  if (kind?.kind === "integer") return 0;
  return kind !== undefined && "scale" in kind ? kind.scale : undefined;
}

function largest(scales: readonly (number | undefined)[]): number | undefined {
  return scales.some((scale) => scale === undefined) ? undefined : Math.max(...(scales as readonly number[]));
}

/** The decimal places of a value; undefined where it is given later or is no number. */
function decimalsOf(value: unknown): number | undefined {
  if (value === null || typeof value === "bigint") return 0;
  if (typeof value !== "string" && typeof value !== "number") return undefined;
  return /^-?\d+(?:\.(\d+))?$/.exec(String(value))?.[1]?.length ?? (Number.isInteger(Number(value)) ? 0 : undefined);
}

function isDecimal({ family }: Resolver, { column }: ColumnConverter): boolean {
  return family.decimals?.isText(column.definition.type) === true;
}

function decimalOrNothing(kind: StoredKind | undefined): StoredKind | undefined {
  return kind?.kind === "decimal" ? kind : undefined;
}
