import {
  type BinaryOperationNode,
  type ColumnNode,
  type Expression,
  IdentifierNode,
  OperationNodeTransformer,
  OperatorNode,
  type PrimitiveValueListNode,
  RawNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import type { Engine } from "../engine/engine.ts";
import type { Family } from "../engine/family.ts";
import { SchemaError } from "../errors/schema.ts";
import type { AnyTable } from "../schema/table.ts";
import { timestamp } from "../schema/types/temporal.ts";

/**
 * Writes an expression of a table's definition as SQL without parameters, which statements that make tables do not
 * take. A column named by its property gets its name in the database.
 *
 * @throws {SchemaError} if the expression holds a value that has no literal
 */
export function inlineLiterals(expression: Expression<unknown>, table: AnyTable, engine: Engine): string {
  const node = new PlainTransformer(table, engine.family).transformNode(expression.toOperationNode());
  return engine.compileQuery(RawNode.createWithChild(node)).sql;
}

class PlainTransformer extends OperationNodeTransformer {
  readonly #table: AnyTable;
  readonly #family: Family;

  constructor(table: AnyTable, family: Family) {
    super();
    this.#table = table;
    this.#family = family;
  }

  // The literal of bytes is SQL of its own; it stands wherever a value may.
  protected override transformValue(node: ValueNode): ValueNode {
    return this.#literal(node.value) as ValueNode;
  }

  protected override transformPrimitiveValueList(node: PrimitiveValueListNode): PrimitiveValueListNode {
    // A list of literals stands wherever a list of parameters may.
    return ValueListNode.create(node.values.map((value) => this.#literal(value))) as unknown as PrimitiveValueListNode;
  }

  protected override transformBinaryOperation(node: BinaryOperationNode): BinaryOperationNode {
    const { patterns } = this.#family;
    const { operator, rightOperand } = node;
    const name = OperatorNode.is(operator) ? operator.operator : "";
    const isLike = (name === "like" || name === "not like") && ValueNode.is(rightOperand);
    if (patterns === undefined || !isLike || typeof rightOperand.value !== "string")
      return super.transformBinaryOperation(node);
    return super.transformBinaryOperation({
      ...node,
      operator: RawNode.createWithSql(patterns.operators[name]),
      rightOperand: ValueNode.create(patterns.pattern(rightOperand.value)),
    });
  }

  protected override transformColumn(node: ColumnNode): ColumnNode {
    const column = this.#table.findColumn(node.column.name);
    return column === undefined ? node : { ...node, column: IdentifierNode.create(column.name) };
  }

  #literal(value: unknown): ValueNode | RawNode {
    switch (typeof value) {
      case "string":
      case "boolean":
      case "bigint":
        return ValueNode.createImmediate(value);
      case "number":
        if (Number.isFinite(value)) return ValueNode.createImmediate(value);
    }
    if (value === null) return ValueNode.createImmediate(value);
    if (value instanceof Date) {
      const { encode } = this.#family.codec(timestamp().definition.type);
      // A codec's own type is not known here; this is the one of timestamps, which takes a Date.
      return ValueNode.createImmediate(encode === undefined ? value : encode(value as never));
    }
    if (value instanceof Uint8Array)
      return RawNode.createWithSql(this.#family.ddl.binaryLiteral(Buffer.from(value).toString("hex")));
    throw new SchemaError(
      `An expression in the definition of table ${this.#table.label} holds a value that has no literal in SQL. ` +
        "Text, numbers, true, false, null, dates and bytes have one.",
      { bindKey: this.#table.bindKey },
    );
  }
}
