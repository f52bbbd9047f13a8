import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  OrderByItemNode,
  OrderByNode,
  ParensNode,
  RawNode,
  ReferenceNode,
  type SelectQueryNode,
  TableNode,
  WhereNode,
} from "kysely";
import type { Engine } from "../../engine/engine.ts";
import type { KeyColumn, KeyList } from "../../engine/key-lists.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { RelationLink, RelationOrder } from "../../model/relations/relation.ts";
import { type EntitySelection, entitySelection, isOutdated } from "../../query/select/entity-selection.ts";
import type { SelectStatement } from "../../query/select/select-runner.ts";
import { KeyedStatement, selected } from "./keyed-statement.ts";

/** Which entities are found by keys. */
export interface KeyedSource {
  readonly mapper: Mapper;
  /** The properties of the model that hold the keys; those of the link, if there is one. */
  readonly columns: readonly string[];
  /** The table in the same bind whose rows lead from the keys to the model's rows. */
  readonly link?: RelationLink | undefined;
  /** Which of the model's rows count, and perhaps their order. Defaults to all. */
  readonly statement?: SelectStatement | undefined;
  /** The order of the rows, before that by the primary key; absent where the order does not matter. */
  readonly orderBy?: readonly RelationOrder[] | undefined;
}

const LINK = "multibind link";

/** The rows of a source on one engine, which become entities. */
export class KeyedRows extends KeyedStatement {
  readonly source: KeyedSource;
  readonly selection: EntitySelection;
  protected readonly keyNames: readonly string[];

  constructor(source: KeyedSource, engine: Engine) {
    const { mapper, columns, link, statement } = source;
    const selection = selectionOf(statement) ?? entitySelection(mapper);
    super(
      engine,
      columns.map((name) => keyColumn(name, source, selection, engine)),
    );
    this.source = source;
    this.selection = selection;
    const own = selection.columns.get(selection.mapper)!;
    this.keyNames = columns.map((name, part) =>
      link === undefined ? own.find(({ property }) => property.name === name)!.rowKey : `key:${part}`,
    );
  }

  /** Whether the model has got another child since, whose rows are read otherwise. */
  override get isOutdated(): boolean {
    return isOutdated(this.selection);
  }

  /** Whether rows have other columns than their entities. */
  get hasOthers(): boolean {
    return this.tellsPosition || this.source.link !== undefined;
  }

  protected override nodeWith(list: KeyList): SelectQueryNode {
    const { link, orderBy } = this.source;
    const node = this.#node();
    const froms = [...(list.source === undefined ? [] : [list.source]), ...(node.from?.froms ?? [])];
    const where =
      node.where === undefined ? list.condition : AndNode.create(ParensNode.create(node.where.where), list.condition);
    const keys = link === undefined || this.tellsPosition ? [] : link.from;
    return {
      ...node,
      from: FromNode.create(froms),
      ...(link === undefined ? {} : { joins: [this.#joinTo(link), ...(node.joins ?? [])] }),
      where: WhereNode.create(where),
      selections: [
        ...(node.selections ?? []),
        ...keys.map(({ column }, part) => selected(reference(LINK, column.property), this.keyNames[part]!)),
        ...this.positionOf(list),
      ],
      ...(orderBy !== undefined && node.orderBy === undefined ? { orderBy: this.#order(orderBy) } : {}),
    };
  }

  #node(): SelectQueryNode {
    const { statement } = this.source;
    if (statement !== undefined) return statement.node;
    const { source, selections, condition } = this.selection;
    return {
      kind: "SelectQueryNode",
      from: FromNode.create([source]),
      selections,
      ...(condition === undefined ? {} : { where: WhereNode.create(condition) }),
    };
  }

  #joinTo({ table, to }: RelationLink): JoinNode {
    const { alias } = this.selection;
    const on = to
      .map(
        ({ column, other }): OperationNode =>
          BinaryOperationNode.create(
            reference(LINK, column.property),
            OperatorNode.create("="),
            reference(alias, other.name),
          ),
      )
      .reduce((all, one) => AndNode.create(all, one));
    return JoinNode.createWithOn("InnerJoin", AliasNode.create(table.node, IdentifierNode.create(LINK)), on);
  }

  #order(orderBy: readonly RelationOrder[]): OrderByNode {
    const { alias, mapper } = this.selection;
    const own = mapper.key.map(({ name }): RelationOrder => ({ property: name, direction: "asc" }));
    // The primary key makes every order complete.
    const all = [...orderBy, ...own.filter(({ property }) => !orderBy.some((one) => one.property === property))];
    return OrderByNode.create(
      all.map(({ property, direction }) =>
        OrderByItemNode.create(reference(alias, property), RawNode.createWithSql(direction)),
      ),
    );
  }
}

function keyColumn(name: string, { link }: KeyedSource, { mapper, alias }: EntitySelection, engine: Engine): KeyColumn {
  if (link !== undefined) {
    const { column } = link.from.find((one) => one.column.property === name)!;
    return { converter: engine.converter(column), reference: reference(LINK, name), table: link.table.node };
  }
  const { column, table } = mapper.properties.find((property) => property.name === name)!;
  return { converter: engine.converter(column), reference: reference(alias, name), table: table.node };
}

function selectionOf(statement: SelectStatement | undefined): EntitySelection | undefined {
  return statement?.result.kind === "entities" ? statement.result.selection : undefined;
}

function reference(alias: string, name: string): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias));
}
