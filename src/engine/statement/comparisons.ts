import {
  BinaryOperationNode,
  type CaseNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  type PrimitiveValueListNode,
  RawNode,
  ValueListNode,
  ValueNode,
  type WhenNode,
} from "kysely";
import { UnsupportedError } from "../../errors/configuration.ts";
import { translateTo } from "./calculations.ts";
import { translateMixedComparison } from "./mixed-comparisons.ts";
import { isNode, mapList, mapNode } from "./nodes.ts";
import { compared, type Opposite, withinExpression } from "./parameters.ts";
import { translateLike } from "./patterns.ts";
import { NamedParameter } from "./placeholders.ts";
import type { Scope } from "./scope.ts";
import { commonKind, resultsOf, storedKind } from "./stored-kind.ts";
import type { Translator } from "./translator.ts";

/** Operators whose two sides are values of one type. */
const COMPARISONS: ReadonlySet<string> = new Set([
  ...["=", "==", "<=>", "!=", "<>", "<", "!<", "<=", ">", "!>", ">="],
  ...["is", "is not", "is distinct from", "is not distinct from"],
  ...["in", "not in", "between", "between symmetric"],
]);

/** Operators whose right side is a list of values. */
const TAKE_LISTS: ReadonlySet<string> = new Set(["in", "not in"]);

/** Operators that never hold where one side is null. */
const NEVER_WITH_NULL: ReadonlySet<string> = new Set([
  ...["=", "==", "!=", "<>", "<", "!<", "<=", ">", "!>", ">=", "in", "not in"],
  ...["like", "not like", "ilike", "not ilike"],
]);

/** Kinds of node that may have a value right in them which stands opposite something. */
const VALUE_HOLDERS: ReadonlySet<string> = new Set<OperationNode["kind"]>([
  ...(["ValueNode", "PrimitiveValueListNode", "ValueListNode", "TupleNode"] as const),
  ...(["AndNode", "ParensNode", "RawNode", "CaseNode", "FunctionNode", "AggregateFunctionNode"] as const),
]);

/** Whether an operand may have a value right in it. */
export function mayHoldValue({ kind }: OperationNode): boolean {
  return VALUE_HOLDERS.has(kind);
}

/** Translates an operation of two operands. In a comparison, a value on one side is of the other side's type. */
export function translateOperation(translator: Translator, node: BinaryOperationNode, scope: Scope): OperationNode {
  const { leftOperand, rightOperand } = node;
  const operator = OperatorNode.is(node.operator) ? node.operator.operator : "";
  if (translator.isTemplate && NEVER_WITH_NULL.has(operator)) {
    const named = mapNode(node, (child) => (isNode(child) ? namedParameter(translator, child, operator) : child));
    if (named !== node) return translateOperation(translator, named, scope);
  }
  const like = translateLike(translator, node, scope);
  if (like !== undefined) return like;
  if (!TAKE_LISTS.has(operator) && rightOperand.kind === "PrimitiveValueListNode") {
    const opposite = translator.resolver.opposite(leftOperand, scope);
    if (mayBeList(opposite)) {
      // The kind says so.
      const value = ValueNode.create((rightOperand as PrimitiveValueListNode).values);
      if (COMPARISONS.has(operator)) return translateOperation(translator, { ...node, rightOperand: value }, scope);
      return BinaryOperationNode.create(
        translator.translate(leftOperand, scope),
        node.operator,
        translator.translate(value, scope, opposite),
      );
    }
  }
  if (!COMPARISONS.has(operator)) return mapNode(node, (child) => translator.translateProperty(child, scope));
  if (isEmptyList(rightOperand)) {
    if (operator === "in") return NEVER;
    if (operator === "not in") return ALWAYS;
  }
  const calculated = translateMixedComparison(translator, node, scope);
  if (calculated !== undefined) return calculated;
  const isEquality = operator === "=" || operator === "==";
  const left = translateSide(translator, leftOperand, rightOperand, isEquality, scope);
  const right = comparable(
    translator,
    translateSide(translator, rightOperand, leftOperand, isEquality, scope),
    leftOperand,
    scope,
  );
  const { nullSafeEquality } = translator.engine.family;
  if (nullSafeEquality !== undefined && operator.endsWith("distinct from")) {
    const equal = BinaryOperationNode.create(left, OperatorNode.create(nullSafeEquality), right);
    if (operator === "is not distinct from") return equal;
    return BinaryOperationNode.create(ParensNode.create(equal), OperatorNode.create("="), ValueNode.createImmediate(0));
  }
  const isSame = left === leftOperand && right === rightOperand;
  return isSame ? node : Object.freeze({ ...node, leftOperand: left, rightOperand: right });
}

/**
 * A named parameter that knows how it is compared; any other operand is given back as it is.
 *
 * @throws {UnsupportedError} if it stands for a list
 */
function namedParameter({ engine }: Translator, operand: OperationNode, operator: string): OperationNode {
  if (!ValueNode.is(operand) || !(operand.value instanceof NamedParameter)) return operand;
  const { name, comparedBy } = operand.value;
  if (comparedBy !== undefined) return operand;
  if (operator === "in" || operator === "not in") {
    throw new UnsupportedError(
      `Parameter "${name}" stands where \`${operator}\` wants a list, whose length is part of the statement. ` +
        "Name a parameter for each item, or build the statement when the list is known.",
      { bindKey: engine.bindKey },
    );
  }
  return ValueNode.create(new NamedParameter(name, operator));
}

function translateOperand(
  translator: Translator,
  operand: OperationNode,
  other: OperationNode,
  scope: Scope,
): OperationNode {
  return translator.translate(
    operand,
    scope,
    mayHoldValue(operand) ? translator.resolver.opposite(other, scope) : undefined,
  );
}

/**
 * Translates a case. The tested value and the values of `when` have one type.
 *
 * @param opposite what the results are compared with or written to
 */
export function translateCase(translator: Translator, node: CaseNode, scope: Scope, opposite: Opposite): CaseNode {
  const { resolver } = translator;
  const { value: tested, when = [] } = node;
  const conditions = when.map(({ condition }) => condition);
  const oppositeConditions = tested === undefined ? undefined : resolver.opposite(tested, scope);
  const results = withinExpression(translator.engine, opposite ?? compared(resolver.converter(node, scope)));
  const kindsOf = (nodes: readonly OperationNode[]) =>
    resolver.family.decimals === undefined
      ? undefined
      : commonKind(nodes.map((one) => storedKind(resolver, one, scope)));
  const resultKind = kindsOf(resultsOf(node));
  const testedKind = tested === undefined ? undefined : kindsOf([tested, ...conditions]);
  const translateResult = (result: OperationNode) =>
    resultKind === undefined
      ? translator.translate(result, scope, results)
      : translateTo(translator, result, scope, resultKind);
  const translateTest = (test: OperationNode, other: Opposite) =>
    testedKind === undefined
      ? translator.translate(test, scope, other)
      : translateTo(translator, test, scope, testedKind);
  const translateWhen = (one: WhenNode) =>
    mapNode(one, (child, property) =>
      isNode(child)
        ? property === "condition"
          ? translateTest(child, oppositeConditions)
          : translateResult(child)
        : child,
    );
  return mapNode(node, (child, property) => {
    if (property === "when") return mapList(when, translateWhen);
    if (!isNode(child)) return child;
    return property === "value"
      ? translateTest(child, resolver.firstOpposite(conditions, scope))
      : translateResult(child);
  });
}

/**
 * Translates a side of a comparison. A truth value is written into the statement: there are but two, and the database can
 * plan for the one that is meant.
 */
function translateSide(
  translator: Translator,
  operand: OperationNode,
  other: OperationNode,
  isEquality: boolean,
  scope: Scope,
): OperationNode {
  const translated = translateOperand(translator, operand, other, scope);
  if (!ValueNode.is(operand) || !ValueNode.is(translated) || translated.immediate === true) return translated;
  if (typeof operand.value === "boolean") return ValueNode.createImmediate(translated.value);
  return isEquality && translator.engine.family.plansByParameters === true && hasIndex(translator, other, scope)
    ? RawNode.create(["+", ""], [translated])
    : translated;
}

/**
 * Whether what a value is compared with is a column with an index. The plan does not depend on the value then, and as the
 * operand of a sign that changes nothing, a parameter has no part in the planning. Without an index it has: there may be
 * one over the rows with that value alone.
 */
function hasIndex(translator: Translator, operand: OperationNode, scope: Scope): boolean {
  const opposite = translator.resolver.opposite(operand, scope);
  return opposite !== undefined && "column" in opposite && opposite.column.definition.index === true;
}

/** A list whose values say their type, where the database would compare them with less precision than single ones. */
function comparable(translator: Translator, list: OperationNode, other: OperationNode, scope: Scope): OperationNode {
  const { listedType } = translator.engine.family;
  if (listedType === undefined || list.kind !== "PrimitiveValueListNode") return list;
  const opposite = translator.resolver.opposite(other, scope);
  if (opposite === undefined || !("column" in opposite)) return list;
  const type = listedType(opposite.column.definition.type);
  if (type === undefined) return list;
  // The kind says so.
  const { values } = list as PrimitiveValueListNode;
  return ValueListNode.create(
    values.map((value) => RawNode.create(["cast(", ` as ${type})`], [ValueNode.create(value)])),
  );
}

/** Whether a list that stands opposite a column is one value of it: JSON, or an array. */
function mayBeList(opposite: Opposite): boolean {
  if (opposite === undefined || !("column" in opposite)) return false;
  const { kind } = opposite.column.definition.type;
  return kind === "json" || kind === "native";
}

function isEmptyList(node: OperationNode): boolean {
  const isList = node.kind === "PrimitiveValueListNode" || node.kind === "ValueListNode";
  // The kinds say so.
  return isList && (node as PrimitiveValueListNode | ValueListNode).values.length === 0;
}

/** `in ()` is no SQL. These say the same, and bind as tightly. */
const NEVER = oneInZero("in");
const ALWAYS = oneInZero("not in");

function oneInZero(operator: "in" | "not in"): BinaryOperationNode {
  const [one, zero] = [ValueNode.createImmediate(1), ValueNode.createImmediate(0)];
  return BinaryOperationNode.create(one, OperatorNode.create(operator), ValueListNode.create([zero]));
}
