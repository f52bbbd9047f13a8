import {
  AndNode,
  type BinaryOperationNode,
  type OperationNode,
  SelectQueryNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import { translateTo } from "./calculations.ts";
import { mapList } from "./nodes.ts";
import { memberOf } from "./parameters.ts";
import type { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import { type CommonKind, commonKind, kindOf, type StoredKind, storedKind } from "./stored-kind.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates a comparison of decimals with numbers of other kinds, or of dates with instants, where the database keeps those
 * as text: they are brought to one kind. Undefined for any other comparison, also of decimals alone, whose text compares as
 * they do.
 */
export function translateMixedComparison(
  translator: Translator,
  node: BinaryOperationNode,
  scope: Scope,
): BinaryOperationNode | undefined {
  const { resolver } = translator;
  if (resolver.family.decimals === undefined) return undefined;
  const { leftOperand, rightOperand } = node;
  if (TupleNode.is(leftOperand)) return translateTuples(translator, node, leftOperand, scope);
  const operands = [leftOperand, ...comparedWith(rightOperand)];
  const common = differing(
    operands,
    operands.map((operand) => storedKind(resolver, operand, scope)),
  );
  if (common === undefined) return undefined;
  const brought = (operand: OperationNode) => translateTo(translator, operand, scope, common);
  return Object.freeze({
    ...node,
    leftOperand: brought(leftOperand),
    rightOperand: withEach(rightOperand, brought),
  });
}

/** What operands are brought to, if any of them needs it. */
function differing(
  operands: readonly OperationNode[],
  kinds: readonly (StoredKind | undefined)[],
): CommonKind | undefined {
  const common = commonKind(kinds);
  if (common === undefined) return undefined;
  const isWritten = (operand: OperationNode | undefined) =>
    operand !== undefined && ValueNode.is(operand) && operand.immediate === true && operand.value !== null;
  const isAlike = kinds.every(
    (kind, index) => kind?.kind === "decimal" || (kind?.kind === "value" && !isWritten(operands[index])),
  );
  return common.kind === "decimal" && isAlike ? undefined : common;
}

function comparedWith(right: OperationNode): readonly OperationNode[] {
  if (AndNode.is(right)) return [right.left, right.right];
  return ValueListNode.is(right) ? right.values : [right];
}

function withEach(right: OperationNode, brought: (operand: OperationNode) => OperationNode): OperationNode {
  if (AndNode.is(right)) return AndNode.create(brought(right.left), brought(right.right));
  return ValueListNode.is(right) ? ValueListNode.create(mapList(right.values, brought)) : brought(right);
}

function translateTuples(
  translator: Translator,
  node: BinaryOperationNode,
  left: TupleNode,
  scope: Scope,
): BinaryOperationNode | undefined {
  const { resolver } = translator;
  const { rightOperand: right } = node;
  const tuples = [left, ...comparedWith(right).filter(TupleNode.is)];
  const selected = SelectQueryNode.is(right) ? resolver.outputs(right, resolver.open(right, scope)).columns : undefined;
  const numbers = left.values.map((_, index) => {
    const members = tuples.flatMap(({ values }) => values[index] ?? []);
    const kinds = members.map((member) => storedKind(resolver, member, scope));
    return differing(
      members,
      selected === undefined ? kinds : [...kinds, kindOf(resolver, selected[index]?.converter)],
    );
  });
  if (numbers.every((number) => number === undefined)) return undefined;
  const brought = (tuple: OperationNode, other: OperationNode): OperationNode => {
    if (!TupleNode.is(tuple)) return translator.translate(tuple, scope, resolver.opposite(other, scope));
    return TupleNode.create(
      tuple.values.map((value, index) => {
        const number = numbers[index];
        if (number !== undefined) return translateTo(translator, value, scope, number);
        return translator.translate(value, scope, memberOf(resolver.opposite(other, scope), index));
      }),
    );
  };
  const rightOperand = SelectQueryNode.is(right)
    ? translateSelect(translator, right, resolver.open(right, scope), { numbers })
    : withEach(right, (tuple) => brought(tuple, left));
  return Object.freeze({ ...node, leftOperand: brought(left, right), rightOperand });
}
