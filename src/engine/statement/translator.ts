import {
  type AggregateFunctionNode,
  type AliasNode,
  type AndNode,
  type BinaryOperationNode,
  type CaseNode,
  ColumnNode,
  type CommonTableExpressionNode,
  type FromNode,
  type FunctionNode,
  type JoinNode,
  type LimitNode,
  type OffsetNode,
  type OperationNode,
  type ParensNode,
  type PrimitiveValueListNode,
  QueryNode,
  type RawNode,
  ReferenceNode,
  type SelectionNode,
  type TupleNode,
  type UsingNode,
  type ValueListNode,
  ValueNode,
} from "kysely";
import { UndefinedValueError } from "../../errors/value.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { translateCalculation, written } from "./calculations.ts";
import { mayHoldValue, translateCase, translateOperation } from "./comparisons.ts";
import type { CompileTarget } from "./compile-target.ts";
import type { Feature } from "./feature.ts";
import { requireFeatures } from "./features.ts";
import { handsOn, requireFunctionName } from "./functions.ts";
import { requireJoinCondition } from "./join-condition.ts";
import { requireKnown } from "./known-columns.ts";
import { translateNested } from "./nested-json.ts";
import { nestedIn } from "./nested-rows.ts";
import { isNode, isTextless, mapList, mapNode, soleChild, withList } from "./nodes.ts";
import { compared, memberOf, type Opposite, parameter, withinExpression } from "./parameters.ts";
import { NamedParameter, Placeholder, placeholderOf } from "./placeholders.ts";
import { translateQuery } from "./queries.ts";
import type { Resolver } from "./resolver.ts";
import { translateRowLimit } from "./row-limits.ts";
import { Scope } from "./scope.ts";
import { isLateral, isSubquery } from "./sources.ts";
import { storedKind } from "./stored-kind.ts";
import { FEATURED } from "./used-features.ts";

type Translated =
  | ValueNode
  | PrimitiveValueListNode
  | ValueListNode
  | TupleNode
  | ReferenceNode
  | BinaryOperationNode
  | AndNode
  | ParensNode
  | AliasNode
  | SelectionNode
  | RawNode
  | FunctionNode
  | AggregateFunctionNode
  | LimitNode
  | OffsetNode
  | CaseNode
  | FromNode
  | UsingNode
  | JoinNode
  | CommonTableExpressionNode
  | QueryNode;

/** Nodes below which nothing is translated: names, words, and what tables and columns are called. */
const LEAVES: ReadonlySet<string> = new Set([
  "IdentifierNode",
  "SchemableIdentifierNode",
  "TableNode",
  "ColumnNode",
  "SelectAllNode",
  "OperatorNode",
  "DataTypeNode",
  "MatchedNode",
  "JSONPathNode",
  "JSONOperatorChainNode",
  "CollateNode",
  "OrActionNode",
  "TopNode",
]);

/** Nodes that may calculate with decimals. */
const CALCULATING: ReadonlySet<string> = new Set([
  "BinaryOperationNode",
  "UnaryOperationNode",
  "FunctionNode",
  "AggregateFunctionNode",
  "CastNode",
]);

/** Whether a template is nothing but the words for the present instant. */
function isCurrentTimestamp({ sqlFragments, parameters }: RawNode): boolean {
  return parameters.length === 0 && /^\s*current_timestamp\s*$/i.test(sqlFragments[0]!);
}

/** Words of SQL text after which it names tables. */
const NAMES_TABLES = /\b(?:from|join|into|update|using|with|merge)\b/i;

/** Lists of up to so many values are taken to be of fixed length. */
const SHORT_LIST = 4;

/**
 * Makes the tree that is sent of the tree that was built: columns get their names in the database, values become what
 * the driver sends, defaults are added. What needs no change is shared with the tree that was built.
 */
export class Translator {
  readonly engine: CompileTarget;
  readonly resolver: Resolver;
  /** Whether the statement is compiled to be run many times, with values that are given then. */
  readonly isTemplate: boolean;
  #hasLongList = false;
  #needs: Feature[] | undefined;

  constructor(engine: CompileTarget, resolver: Resolver, isTemplate = false) {
    this.engine = engine;
    this.resolver = resolver;
    this.isTemplate = isTemplate;
  }

  /** Whether there was a list of values that is likely to be of another length next time. */
  get hasLongList(): boolean {
    return this.#hasLongList;
  }

  /**
   * Translates a value of the statement into the form that is sent.
   *
   * @throws {InvalidValueError} if it does not fit what stands opposite
   */
  parameter(value: unknown, opposite: Opposite): unknown {
    if (!(value instanceof NamedParameter)) return parameter(this.engine, value, opposite);
    if (this.isTemplate) return placeholderOf(value, this.engine, opposite);
    throw new UndefinedValueError(
      `Parameter "${value.name}" has a value only where a prepared statement runs: it belongs into \`db.prepare\`.`,
      { status: undefined },
    );
  }

  /** Translates a value that the application creates for a column whenever the statement runs. */
  made(column: TableColumn, make: () => unknown): unknown {
    const made = () => parameter(this.engine, make(), this.engine.converter(column));
    return this.isTemplate ? new Placeholder(made) : made();
  }

  /** Features in the statement that only some servers of the family have. */
  get needs(): readonly Feature[] | undefined {
    return this.#needs;
  }

  /**
   * Refuses a node that the database lacks, and takes note of one that only some servers have.
   *
   * @throws {UnsupportedError}
   */
  requireFeatures(node: OperationNode): void {
    const needs = requireFeatures(this.engine, node);
    if (needs.length > 0) this.#needs = [...(this.#needs ?? []), ...needs];
  }

  /** Takes note of a list of values or rows. */
  countList(length: number, short = SHORT_LIST): void {
    if (length > short) this.#hasLongList = true;
  }

  /**
   * Translates a node.
   *
   * @param opposite what the values right in it are compared with or written to
   */
  translate<T extends OperationNode>(node: T, scope: Scope, opposite?: Opposite): T {
    // The kind tells which of them it is, others go to the default; a node becomes one of its own kind.
    return this.#translate(node as OperationNode as Translated, scope, opposite) as OperationNode as T;
  }

  /** Translates whatever a node has as a property. */
  translateProperty(value: unknown, scope: Scope): unknown {
    if (Array.isArray(value)) return mapList(value, (item) => this.translateProperty(item, scope));
    return isNode(value) ? this.translate(value, scope) : value;
  }

  /** Translates each of several nodes. */
  translateList<T extends OperationNode>(nodes: readonly T[], scope: Scope, opposite?: Opposite): readonly T[] {
    return mapList(nodes, (node) => this.translate(node, scope, opposite));
  }

  #translate(node: Translated, scope: Scope, opposite: Opposite): OperationNode {
    if (FEATURED.has(node.kind)) this.requireFeatures(node);
    if (this.engine.family.decimals !== undefined && CALCULATING.has(node.kind)) {
      const calculation = translateCalculation(this, node, scope);
      if (calculation !== undefined) return calculation;
    }
    switch (node.kind) {
      case "ValueNode":
        return this.#value(node, opposite);
      case "PrimitiveValueListNode":
        return this.#values(node, opposite);
      case "ValueListNode":
        this.countList(node.values.length);
        return withList(node, "values", this.translateList(node.values, scope, opposite));
      case "TupleNode":
        return withList(
          node,
          "values",
          mapList(node.values, (value, index) => this.translate(value, scope, memberOf(opposite, index))),
        );
      case "ReferenceNode":
        return this.#reference(node, scope);
      case "BinaryOperationNode":
        return translateOperation(this, node, scope);
      case "AndNode":
      case "ParensNode":
      case "AliasNode":
      case "SelectionNode":
        return mapNode(node, (child) => (isNode(child) ? this.translate(child, scope, opposite) : child));
      case "RawNode":
        return this.#raw(node, scope, opposite);
      case "FunctionNode":
        requireFunctionName(node.func);
        return withList(node, "arguments", this.#operands(node, node.arguments, scope, opposite));
      case "AggregateFunctionNode":
        requireFunctionName(node.func);
        return mapNode(node, (child, property) =>
          property === "aggregated"
            ? this.#operands(node, node.aggregated, scope, opposite)
            : this.translateProperty(child, scope),
        );
      case "LimitNode":
      case "OffsetNode":
        return translateRowLimit(this, node, scope);
      case "CaseNode":
        return translateCase(this, node, scope, opposite);
      case "FromNode":
        return withList(
          node,
          "froms",
          mapList(node.froms, (source) => this.source(source, scope)),
        );
      case "UsingNode":
        return withList(
          node,
          "tables",
          mapList(node.tables, (source) => this.source(source, scope)),
        );
      case "JoinNode":
        requireJoinCondition(node);
        return mapNode(node, (child, property) =>
          property === "table" ? this.source(node.table, scope, node.joinType) : this.translateProperty(child, scope),
        );
      case "CommonTableExpressionNode":
        return mapNode(node, (child, property) =>
          property === "expression" ? this.translate(node.expression, scope.bodyOf(node)) : child,
        );
      default:
        if (LEAVES.has((node as OperationNode).kind)) return node;
        if (QueryNode.is(node)) return translateQuery(this, node, this.resolver.open(node, scope));
        return mapNode(node as OperationNode, (child) => this.translateProperty(child, scope));
    }
  }

  /** Translates what a query takes rows from. */
  source(node: OperationNode, scope: Scope, joinType = ""): OperationNode {
    if (node.kind === "TableNode") return node;
    const isOutside = isSubquery(node) && !isLateral({ node, joinType });
    return this.translate(node, isOutside ? scope.outer! : scope);
  }

  #value(node: ValueNode, opposite: Opposite): ValueNode {
    if (node.immediate === true) return node;
    const value = this.parameter(node.value, opposite);
    return value === node.value ? node : ValueNode.create(value);
  }

  #values(node: PrimitiveValueListNode, opposite: Opposite): PrimitiveValueListNode {
    this.countList(node.values.length);
    return withList(
      node,
      "values",
      mapList(node.values, (value) => this.parameter(value, opposite)),
    );
  }

  #reference(node: ReferenceNode, scope: Scope): ReferenceNode {
    const { column, table } = node;
    if (column.kind !== "ColumnNode") {
      requireKnown(this.engine, scope, node, table === undefined ? undefined : scope.relationNamed(table));
      return node;
    }
    const relation = scope.relationOf(node);
    if (relation === undefined || table !== undefined) requireKnown(this.engine, scope, node, relation);
    const name = relation?.databaseName(column.column.name);
    return name === undefined || name === column.column.name
      ? node
      : ReferenceNode.create(ColumnNode.create(name), node.table);
  }

  #raw(node: RawNode, scope: Scope, opposite: Opposite): OperationNode {
    const { now } = this.engine.family;
    if (now !== undefined && isCurrentTimestamp(node)) return now;
    const nested = nestedIn(node);
    if (nested !== undefined) return translateNested(this, nested, scope);
    if (isTextless(node.sqlFragments)) this.countList(node.parameters.length, 2 * SHORT_LIST);
    const own = this.#oppositeInRaw(node) ?? (soleChild(node) === undefined ? undefined : opposite);
    const translated = this.translateList(node.parameters, this.#rawScope(node, scope), own);
    return withList(node, "parameters", this.#asTyped(node, translated, scope));
  }

  /** What values in a template are converted as, if it was said what the template is. */
  #oppositeInRaw(node: RawNode): Opposite {
    const typed = compared(this.resolver.typedConverter(node));
    return withinExpression(this.engine, typed);
  }

  /** A decimal that was said to be of another type is made that where it is kept as text. */
  #asTyped(node: RawNode, translated: readonly OperationNode[], scope: Scope): readonly OperationNode[] {
    const { decimals } = this.engine.family;
    const type = decimals === undefined ? undefined : this.resolver.typedConverter(node)?.column.definition.type;
    if (type === undefined || decimals!.isText(type)) return translated;
    const [child] = node.parameters;
    return [written(this, translated[0]!, storedKind(this.resolver, child!, scope), type)];
  }

  /** Tables that a template names are there for the columns that it names. */
  #rawScope(node: RawNode, scope: Scope): Scope {
    let inside: Scope | undefined;
    for (const child of node.parameters) {
      // The kind says so.
      const isTable =
        child.kind === "TableNode" || (child.kind === "AliasNode" && (child as AliasNode).node.kind === "TableNode");
      if (!isTable) continue;
      inside ??= new Scope(scope);
      inside.relations.push(this.resolver.relation(child, scope));
    }
    if (node.sqlFragments.some((text) => NAMES_TABLES.test(text))) {
      inside ??= new Scope(scope);
      inside.mayHaveOthers = true;
    }
    return inside ?? scope;
  }

  /** The arguments of a function. Where it gives one of them, values among them are of the type of the others. */
  #operands(
    node: FunctionNode | AggregateFunctionNode,
    operands: readonly OperationNode[],
    scope: Scope,
    opposite: Opposite,
  ): readonly OperationNode[] {
    const isMixed = handsOn(node.func) && operands.some(mayHoldValue);
    const ofOthers = isMixed ? (opposite ?? compared(this.resolver.converter(node, scope))) : undefined;
    return this.translateList(operands, scope, withinExpression(this.engine, ofOthers));
  }
}
