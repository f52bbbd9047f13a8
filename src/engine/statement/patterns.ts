import { type BinaryOperationNode, type OperationNode, OperatorNode, ParensNode, RawNode, ValueNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { PatternMatching } from "../family.ts";
import { soleChild } from "./nodes.ts";
import { Placeholder } from "./placeholders.ts";
import type { Scope } from "./scope.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates `like` and `not like`; undefined for any other operation.
 *
 * @throws {UnsupportedError} if decimals are matched, which are not text
 */
export function translateLike(
  translator: Translator,
  node: BinaryOperationNode,
  scope: Scope,
): OperationNode | undefined {
  const operator = OperatorNode.is(node.operator) ? node.operator.operator : "";
  if (operator !== "like" && operator !== "not like") return undefined;
  const { engine, resolver } = translator;
  const column = resolver.converter(node.leftOperand, scope)?.column;
  if (column?.definition.type.kind === "numeric") {
    throw new UnsupportedError(
      `Cannot match "${column.table.fullName}.${column.property}" (${bindLabel(engine.bindKey)}) with \`${operator}\`: it holds decimals. ` +
        "Compare it with numbers, or select the rows and match the text in JavaScript.",
      { bindKey: engine.bindKey },
    );
  }
  const { patterns } = engine.family;
  if (patterns === undefined) return undefined;
  const left = translator.translate(node.leftOperand, scope);
  const right = pattern(patterns, translator.translate(node.rightOperand, scope));
  return RawNode.create(["", ` ${patterns.operators[operator]} `, ""], [left, right]);
}

function pattern(patterns: PatternMatching, translated: OperationNode): OperationNode {
  const value = valueIn(translated);
  if (value === undefined) return patterns.expression(translated);
  const make = (like: unknown) => (typeof like === "string" ? patterns.pattern(like) : like);
  const { value: like, immediate } = value;
  if (immediate === true) return ValueNode.createImmediate(make(like));
  return ValueNode.create(
    like instanceof Placeholder ? new Placeholder((values) => make(like.make(values))) : make(like),
  );
}

/** The value that an operand consists of, if it is one. */
function valueIn(node: OperationNode): ValueNode | undefined {
  if (ValueNode.is(node)) return node;
  if (ParensNode.is(node)) return valueIn(node.node);
  const child = RawNode.is(node) ? soleChild(node) : undefined;
  return child === undefined ? undefined : valueIn(child);
}
