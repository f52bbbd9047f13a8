import { type LimitNode, type OffsetNode, type OperationNode, ValueNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { InvalidValueError } from "../../errors/value.ts";
import type { CompileTarget } from "./compile-target.ts";
import { NamedParameter, Placeholder, placeholderOf } from "./placeholders.ts";
import type { Scope } from "./scope.ts";

/** The translator of a statement, as far as its limits need it. */
interface LimitTranslator {
  readonly engine: CompileTarget;
  /** Whether the statement is a template, compiled once and run with other values. */
  readonly isTemplate: boolean;
  translate(node: OperationNode, scope: Scope): OperationNode;
  /** The form of a value that is sent. */
  parameter(value: unknown, opposite: undefined): unknown;
}

/**
 * Translates a limit or an offset. In a template it is text where it is known: SQLite plans a statement anew each time a
 * parameter of its limit is bound.
 *
 * @throws {InvalidValueError} if it is no number of rows, which some databases would make one of
 */
export function translateRowLimit(
  translator: LimitTranslator,
  node: LimitNode | OffsetNode,
  scope: Scope,
): OperationNode {
  const property = node.kind === "LimitNode" ? "limit" : "offset";
  // The kind tells which of them it is.
  const rows = (node as LimitNode & OffsetNode)[property];
  const translated = translateRows(translator, rows, property, scope);
  return translated === rows ? node : Object.freeze({ ...node, [property]: translated });
}

function translateRows(translator: LimitTranslator, node: OperationNode, noun: string, scope: Scope): OperationNode {
  if (!ValueNode.is(node) || node.immediate === true) return translator.translate(node, scope);
  const { engine, isTemplate } = translator;
  const { value } = node;
  if (!(value instanceof NamedParameter)) {
    const rows = requireRows(engine, translator.parameter(value, undefined), noun);
    if (isTemplate && value !== null) return ValueNode.createImmediate(value);
    return rows === value ? node : ValueNode.create(rows);
  }
  if (!isTemplate) return translator.translate(node, scope);
  const { make } = placeholderOf(value, engine, undefined);
  return ValueNode.create(new Placeholder((given) => requireRows(engine, make(given), noun)));
}

function requireRows({ bindKey }: CompileTarget, value: unknown, noun: string): unknown {
  const isCount = typeof value === "bigint" || Number.isSafeInteger(value);
  if (value === null || (isCount && (value as number | bigint) >= 0)) return value;
  throw new InvalidValueError(`A statement's ${noun} for ${bindLabel(bindKey)} takes an integer from 0 up.`, {
    bindKey,
    status: 400,
  });
}
