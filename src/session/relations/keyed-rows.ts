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
  SelectionNode,
  type SelectQueryNode,
  TableNode,
  WhereNode,
} from "kysely";
import type { Engine } from "../../engine/engine.ts";
import type { Key, KeyColumn, KeyList } from "../../engine/key-lists.ts";
import type { Mapper } from "../../model/mapper.ts";
import { Template } from "../../query/prepared/template.ts";
import { type EntitySelection, entitySelection, isOutdated } from "../../query/select/entity-selection.ts";
import type { SelectStatement } from "../../query/select/select-runner.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";

/** Rows of a table between, by whose keys others are found. */
export interface Link {
  readonly table: AnyTable;
  /** The properties of the link that are equal to those of the model. */
  readonly pairs: readonly { readonly link: string; readonly other: string }[];
}

/** An order by a property. */
export interface PropertyOrder {
  readonly property: string;
  readonly direction: "asc" | "desc";
}

/** Which entities are found by keys. */
export interface KeyedSource {
  readonly mapper: Mapper;
  /** The properties of the model that hold the keys; those of the link, if there is one. */
  readonly columns: readonly string[];
  readonly link?: Link | undefined;
  /** Which of the model's rows count, in what order. Defaults to all, by their primary keys. */
  readonly statement?: SelectStatement | undefined;
  readonly orderBy?: readonly PropertyOrder[] | undefined;
  /** Whether the order of the rows matters. */
  readonly isOrdered: boolean;
}

/** A statement that reads the rows of keys, compiled once for each application. */
export interface KeyedTemplate {
  readonly template: Template;
  readonly list: KeyList;
}

const LINK = "multibind link";

/** The name of the column that says which key found a row. */
const POSITION = "key:position";

/** The name of a link's column that is read beside the entity. */
function besideName(part: number): string {
  return `key:${part}`;
}

/** The rows of a source on one engine. Statements are made when first needed. */
export class KeyedRows {
  readonly source: KeyedSource;
  readonly engine: Engine;
  readonly selection: EntitySelection;
  /** The columns that hold the keys. */
  readonly columns: readonly TableColumn[];
  /** Whether each row has to say which key found it: its own values may differ from the key's. */
  readonly tellsPosition: boolean;
  /** The columns that are read beside the entities' own. */
  readonly beside: readonly string[];
  /** The columns of the rows that say which key found them: its position, or its values. */
  readonly keyNames: readonly string[];
  readonly #keyColumns: readonly KeyColumn[];
  readonly #templates = new Map<string, KeyedTemplate>();

  constructor(source: KeyedSource, engine: Engine) {
    const { mapper, columns, link, statement } = source;
    this.source = source;
    this.engine = engine;
    this.selection = selectionOf(statement) ?? entitySelection(mapper);
    this.#keyColumns = columns.map((name) => this.#keyColumn(name, link));
    this.columns = this.#keyColumns.map(({ converter }) => converter.column);
    const { isExact } = engine.family.keyLists;
    this.tellsPosition = !this.columns.every(({ definition }) => isExact(definition.type.kind));
    const own = this.selection.columns.get(mapper)!;
    this.beside = this.tellsPosition
      ? [POSITION]
      : link === undefined
        ? []
        : columns.map((_, part) => besideName(part));
    this.keyNames =
      this.beside.length > 0
        ? this.beside
        : columns.map((name) => own.find(({ property }) => property.name === name)!.rowKey);
  }

  /** Whether the model has got another child since, whose rows are read otherwise. */
  get isOutdated(): boolean {
    return isOutdated(this.selection);
  }

  /** The statement for some keys. */
  templateFor(keys: readonly Key[]): KeyedTemplate {
    const { keyLists } = this.engine.family;
    const form = keyLists.formOf(keys);
    let known = this.#templates.get(form);
    if (known === undefined) {
      const list = keyLists.list(this.#keyColumns, form, this.tellsPosition);
      // The list names the parameters itself, so none is unknown.
      known = { template: new Template(this.#nodeWith(list), new Set()), list };
      this.#templates.set(form, known);
    }
    return known;
  }

  #keyColumn(name: string, link: Link | undefined): KeyColumn {
    const { mapper, alias } = this.selection;
    if (link !== undefined) {
      const column = link.table.findColumn(name)!;
      return { converter: this.engine.converter(column), reference: reference(LINK, name), table: link.table.node };
    }
    const { column, table } = mapper.properties.find((property) => property.name === name)!;
    return { converter: this.engine.converter(column), reference: reference(alias, name), table: table.node };
  }

  #nodeWith({ source: keys, condition, position }: KeyList): SelectQueryNode {
    const { link, isOrdered } = this.source;
    const node = this.#node();
    const froms = [...(keys === undefined ? [] : [keys]), ...(node.from?.froms ?? [])];
    const where = node.where === undefined ? condition : AndNode.create(ParensNode.create(node.where.where), condition);
    const beside = this.tellsPosition
      ? [selected(position!, POSITION)]
      : link === undefined
        ? []
        : this.#keyColumns.map(({ reference }, part) => selected(reference, besideName(part)));
    return {
      ...node,
      from: FromNode.create(froms),
      ...(link === undefined ? {} : { joins: [this.#joinTo(link), ...(node.joins ?? [])] }),
      where: WhereNode.create(where),
      selections: [...(node.selections ?? []), ...beside],
      ...(isOrdered && node.orderBy === undefined ? { orderBy: this.#order() } : {}),
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

  #joinTo({ table, pairs }: Link): JoinNode {
    const { alias } = this.selection;
    const on = pairs
      .map(({ link, other }): OperationNode => equals(reference(LINK, link), reference(alias, other)))
      .reduce((all, one) => AndNode.create(all, one));
    return JoinNode.createWithOn("InnerJoin", AliasNode.create(table.node, IdentifierNode.create(LINK)), on);
  }

  #order(): OrderByNode {
    const { mapper, orderBy = [] } = this.source;
    const own = mapper.key.map(({ name }): PropertyOrder => ({ property: name, direction: "asc" }));
    // The primary key makes every order complete.
    const all = [...orderBy, ...own.filter(({ property }) => !orderBy.some((one) => one.property === property))];
    return OrderByNode.create(
      all.map(({ property, direction }) =>
        OrderByItemNode.create(reference(this.selection.alias, property), RawNode.createWithSql(direction)),
      ),
    );
  }
}

function selectionOf(statement: SelectStatement | undefined): EntitySelection | undefined {
  return statement?.result.kind === "entities" ? statement.result.selection : undefined;
}

function selected(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)));
}

function equals(left: OperationNode, right: OperationNode): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create("="), right);
}

function reference(alias: string, name: string): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias));
}
