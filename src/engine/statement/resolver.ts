import {
  type AggregateFunctionNode,
  type AliasNode,
  type AndNode,
  type BinaryOperationNode,
  type CaseNode,
  type FunctionNode,
  IdentifierNode,
  type OperationNode,
  type ParensNode,
  QueryNode,
  type RawNode,
  type ReferenceNode,
  type SelectionNode,
  type SelectQueryNode,
  type TableNode,
  type TupleNode,
  type UnaryOperationNode,
  type ValueListNode,
  type WithNode,
} from "kysely";
import type { AnyColumn } from "../../schema/column.ts";
import type { Metadata } from "../../schema/metadata.ts";
import { type AnyTable, tableOfNode } from "../../schema/table.ts";
import { NO_OWNER, TableColumn } from "../../schema/table-column.ts";
import { timestamp } from "../../schema/types/temporal.ts";
import type { Family } from "../family.ts";
import { ColumnConverter } from "../values/column-converter.ts";
import { caseConverter } from "./case-converter.ts";
import type { CompileTarget } from "./compile-target.ts";
import { DecimalConverter } from "./decimal-converter.ts";
import { handsOn } from "./functions.ts";
import { NestedConverter } from "./nested-converter.ts";
import { nestedIn } from "./nested-rows.ts";
import { soleChild } from "./nodes.ts";
import { compared, type Opposite } from "./parameters.ts";
import { type Output, type Outputs, QueryRelation, type Relation, TableRelation, UNKNOWN } from "./relation.ts";
import { Scope } from "./scope.ts";
import { isLateral, isSubquery, sourcesOf } from "./sources.ts";
import { type CommonKind, commonKind, kindOf, storedKind } from "./stored-kind.ts";
import { columnOfTyped } from "./typed.ts";

/** Tables by the names that a statement has for them. */
export type TablesByName = ReadonlyMap<string, AnyTable>;

type Expression =
  | ReferenceNode
  | AliasNode
  | ParensNode
  | RawNode
  | AggregateFunctionNode
  | FunctionNode
  | QueryNode
  | TupleNode
  | ValueListNode
  | AndNode
  | BinaryOperationNode
  | UnaryOperationNode
  | CaseNode;

/** Tells what names in a statement mean and which column's values an expression gives. Changes nothing. */
export class Resolver {
  readonly #engine: CompileTarget;
  readonly #metadata: Metadata | undefined;
  readonly #rebuilt: TablesByName | undefined;

  /** @param rebuilt the tables whose nodes the application's plugins may have built anew, in other schemas */
  constructor(engine: CompileTarget, metadata: Metadata | undefined, rebuilt?: TablesByName) {
    this.#engine = engine;
    this.#metadata = metadata;
    this.#rebuilt = rebuilt;
  }

  /** The family of databases whose statements these are. */
  get family(): Family {
    return this.#engine.family;
  }

  /** The scope inside a query: its relations, with its common table expressions and all that is outside around them. */
  open(query: QueryNode, outer: Scope): Scope {
    const scope = new Scope(query.with === undefined ? outer : this.#scopeOf(query.with, outer));
    scope.query = query;
    for (const source of sourcesOf(query)) {
      const inside = isSubquery(source.node) && !isLateral(source) ? scope.outer! : scope;
      scope.relations.push(this.relation(source.node, inside));
    }
    return scope;
  }

  /** A source of rows, such as a table or an aliased subquery. */
  relation(node: OperationNode, scope: Scope): Relation {
    // The kind tells which of them it is; others fall through.
    const source = node as TableNode | Expression;
    switch (source.kind) {
      case "TableNode":
        return this.#namedRelation(source, scope);
      case "AliasNode": {
        const { alias } = source;
        const table = tableOfNode(source);
        if (table !== undefined && IdentifierNode.is(alias)) return new TableRelation(alias.name, table, this.#engine);
        return this.relation(source.node, scope).as(IdentifierNode.is(alias) ? alias.name : undefined);
      }
      case "ParensNode":
        return this.relation(source.node, scope);
      case "RawNode": {
        const child = soleChild(source);
        return child === undefined ? new QueryRelation(undefined, UNKNOWN) : this.relation(child, scope);
      }
      default:
        return new QueryRelation(undefined, this.#outputsOf(source, scope));
    }
  }

  /** The columns that a query puts out; `scope` is the one inside it. Of a set operation the first query decides. */
  outputs(query: QueryNode, scope: Scope): Outputs {
    const own = this.#ownOutputs(query, scope);
    const united = query.kind === "SelectQueryNode" ? this.unitedKinds(query, scope) : undefined;
    if (united === undefined || united.every((kind) => kind === undefined)) return own;
    return {
      ...own,
      columns: own.columns.map((column, index) => {
        const kind = united[index];
        if (kind === undefined) return column;
        return { ...column, converter: this.#converterOf(kind) };
      }),
    };
  }

  #ownOutputs(query: QueryNode, scope: Scope): Outputs {
    const columns: Output[] = [];
    let isComplete = true;
    for (const { selection } of selectionsOf(query)) {
      const starred = this.starredBy(selection, query, scope);
      if (starred === undefined) {
        columns.push(this.#output(selection, scope));
        continue;
      }
      const spelledOut = starred.some(({ isRenamed }) => isRenamed);
      for (const relation of starred) {
        columns.push(...relation.columns);
        // The table may have columns that its description leaves out.
        isComplete &&= relation.isComplete && (spelledOut || relation.table === undefined);
      }
      isComplete &&= starred.length > 0;
    }
    return { columns, isComplete };
  }

  /** The relations whose columns a selection means if it is a star. */
  starredBy(selection: OperationNode, query: QueryNode, scope: Scope): readonly Relation[] | undefined {
    if (selection.kind === "SelectAllNode") return this.#starred(query, scope);
    if (selection.kind !== "ReferenceNode") return undefined;
    // The kind says so.
    const { column, table } = selection as ReferenceNode;
    if (column.kind !== "SelectAllNode") return undefined;
    const relation = table === undefined ? undefined : scope.relationNamed(table);
    return relation === undefined ? [] : [relation];
  }

  /** The column whose values an expression returns: the column itself, or one that it passes through. */
  converter(node: OperationNode, scope: Scope): ColumnConverter | undefined {
    // The kind tells which of them it is; others fall through.
    const expression = node as Expression;
    switch (expression.kind) {
      case "ReferenceNode": {
        const { column } = expression;
        return column.kind === "ColumnNode" ? scope.relationOf(expression)?.converter(column.column.name) : undefined;
      }
      case "AliasNode":
      case "ParensNode":
        return this.converter(expression.node, scope);
      case "RawNode": {
        const converter = this.typedConverter(expression) ?? this.#nestedConverter(expression, scope);
        if (converter !== undefined) return converter;
        const child = soleChild(expression);
        return child === undefined ? undefined : this.converter(child, scope);
      }
      case "AggregateFunctionNode":
        return this.#ofDecimals(
          expression,
          scope,
          this.#functionConverter(expression.func, expression.aggregated, scope),
        );
      case "FunctionNode":
        return this.#ofDecimals(
          expression,
          scope,
          this.#functionConverter(expression.func, expression.arguments, scope),
        );
      case "BinaryOperationNode":
      case "UnaryOperationNode":
        return this.#ofDecimals(expression, scope, undefined);
      case "CaseNode":
        return this.#ofDecimals(
          expression,
          scope,
          caseConverter(expression, (result) => this.converter(result, scope)),
        );
      case "SelectQueryNode":
        return this.soleOutput(expression, scope)?.converter;
      default:
        return undefined;
    }
  }

  /** The one column that a query puts out, if it is only one. */
  soleOutput(query: QueryNode, scope: Scope): Output | undefined {
    const { columns } = this.#outputsOf(query, scope);
    return columns.length === 1 ? columns[0] : undefined;
  }

  /** How an expression made by `typed` is converted. */
  typedConverter(node: RawNode): ColumnConverter | undefined {
    const column = columnOfTyped(node);
    if (column === undefined) return undefined;
    return column instanceof TableColumn ? this.#engine.converter(column) : this.#converterLike(column);
  }

  #converterLike({ definition }: AnyColumn): ColumnConverter {
    const { bindKey } = this.#engine;
    const table = { owner: NO_OWNER, name: "typed", fullName: "typed", bindKey };
    // Not the engine's own: it would keep the converter of a column that was made for one statement.
    return new ColumnConverter(
      new TableColumn(definition, table, definition.type.kind, definition.type.kind),
      this.#engine,
    );
  }

  #nestedConverter(node: RawNode, scope: Scope): ColumnConverter | undefined {
    const rows = nestedIn(node);
    return rows === undefined
      ? undefined
      : new NestedConverter(this.outputs(rows.query, this.open(rows.query, scope)).columns, this.#engine);
  }

  /** The column or type that an expression compares values with. */
  opposite(node: OperationNode, scope: Scope): Opposite {
    // The kind tells which of them it is; others fall through.
    const expression = node as Expression;
    switch (expression.kind) {
      case "TupleNode":
        return expression.values.map((value) => this.opposite(value, scope));
      case "ParensNode":
        return this.opposite(expression.node, scope);
      case "ValueListNode":
        return this.firstOpposite(expression.values, scope);
      case "AndNode":
        return this.firstOpposite([expression.left, expression.right], scope);
      case "SelectQueryNode": {
        const { columns } = this.#outputsOf(expression, scope);
        return columns.length === 1
          ? compared(columns[0]!.converter)
          : columns.map(({ converter }) => compared(converter));
      }
      default:
        return compared(this.converter(expression, scope));
    }
  }

  /** The first of several expressions that says what a value opposite them is compared with. */
  firstOpposite(nodes: readonly OperationNode[], scope: Scope): Opposite {
    for (const node of nodes) {
      const opposite = this.opposite(node, scope);
      if (opposite !== undefined) return opposite;
    }
    return undefined;
  }

  /** What reads an expression of decimals, where they are kept as text that only a converter reads. */
  #ofDecimals(node: OperationNode, scope: Scope, converter: ColumnConverter | undefined): ColumnConverter | undefined {
    if (this.family.decimals === undefined) return converter;
    const number = storedKind(this, node, scope);
    if (number?.kind === "real" && kindOf(this, converter)?.kind === "decimal") return undefined;
    if (number?.kind === "instant" && kindOf(this, converter)?.kind === "date") return this.#converterLike(timestamp());
    if (number?.kind !== "decimal") return converter;
    return converter?.scale === number.scale ? converter : new DecimalConverter(number.scale, this.#engine);
  }

  #converterOf(kind: CommonKind): ColumnConverter | undefined {
    if (kind.kind === "instant") return this.#converterLike(timestamp());
    return kind.kind === "decimal" ? new DecimalConverter(kind.scale, this.#engine) : undefined;
  }

  /** The kinds that each column of a set operation is brought to, where its queries differ or decimals are among them. */
  unitedKinds(query: SelectQueryNode, scope: Scope): readonly (CommonKind | undefined)[] | undefined {
    const { setOperations } = query;
    if (setOperations === undefined || this.family.decimals === undefined) return undefined;
    const all = [
      this.#ownOutputs(query, scope).columns,
      ...setOperations.map(({ expression }) => this.#outputsOf(expression, scope.outer!).columns),
    ];
    return all[0]!.map((_, index) => commonKind(all.map((columns) => kindOf(this, columns[index]?.converter))));
  }

  #functionConverter(name: string, operands: readonly OperationNode[], scope: Scope): ColumnConverter | undefined {
    if (!handsOn(name)) return undefined;
    for (const operand of operands) {
      const converter = this.converter(operand, scope);
      if (converter !== undefined) return converter;
    }
    return undefined;
  }

  #output(selection: OperationNode, scope: Scope): Output {
    const converter = this.converter(selection, scope);
    // The kinds say so.
    if (selection.kind === "AliasNode") {
      const { alias } = selection as AliasNode;
      return { name: IdentifierNode.is(alias) ? alias.name : undefined, converter };
    }
    if (selection.kind !== "ReferenceNode") return { name: undefined, converter };
    const { column } = selection as ReferenceNode;
    const name = column.kind === "ColumnNode" ? column.column.name : undefined;
    return { name, converter };
  }

  #outputsOf(node: OperationNode, outer: Scope): Outputs {
    return QueryNode.is(node) ? this.outputs(node, this.open(node, outer)) : UNKNOWN;
  }

  #starred(query: QueryNode, { relations }: Scope): readonly Relation[] {
    switch (query.kind) {
      case "SelectQueryNode":
        return relations;
      case "MergeQueryNode":
        return relations.toReversed();
      default:
        return this.#engine.family.returnsJoinedTables ? relations : relations.slice(0, 1);
    }
  }

  #namedRelation(node: TableNode, scope: Scope): Relation {
    const { identifier, schema } = node.table;
    const { name } = identifier;
    const tagged = tableOfNode(node);
    if (tagged !== undefined) return new TableRelation(name, tagged, this.#engine);
    const query = schema === undefined ? scope.queryNamed(name) : undefined;
    if (query !== undefined) return query;
    const known =
      this.#metadata?.tables.get(schema === undefined ? name : `${schema.name}.${name}`) ?? this.#rebuilt?.get(name);
    return known === undefined ? new QueryRelation(name, UNKNOWN) : new TableRelation(name, known, this.#engine, false);
  }

  /** The scope in which all of a query's common table expressions have their names. */
  #scopeOf({ expressions, recursive }: WithNode, outer: Scope): Scope {
    const bodies = new Map<OperationNode, Scope>();
    let scope = outer;
    if (recursive === true) {
      scope = new Scope(outer);
      for (const { name } of expressions) {
        const own = name.table.table.identifier.name;
        scope.define(own, new QueryRelation(own, UNKNOWN));
      }
    }
    for (const node of expressions) {
      bodies.set(node, scope);
      const { name, expression } = node;
      const own = name.table.table.identifier.name;
      const body = this.relation(expression, scope);
      const query = new QueryRelation(
        own,
        name.columns === undefined
          ? body
          : renamed(
              body,
              name.columns.map(({ column }) => column.name),
            ),
      );
      // Without `recursive`, an expression's name means something else inside itself and before.
      if (recursive !== true) scope = new Scope(scope);
      scope.define(own, query);
    }
    scope.defineBodies(bodies);
    return scope;
  }
}

function selectionsOf(query: QueryNode): readonly SelectionNode[] {
  return (query.kind === "SelectQueryNode" ? query.selections : query.returning?.selections) ?? [];
}

/** A query's columns under the names that a common table expression gives them. */
function renamed({ columns, isComplete }: Outputs, names: readonly string[]): Outputs {
  return {
    // After the star of an unknown table, the position of a column is unknown.
    columns: names.map((name, index) => ({
      name,
      converter: isComplete ? columns[index]?.converter : undefined,
    })),
    isComplete: true,
  };
}
