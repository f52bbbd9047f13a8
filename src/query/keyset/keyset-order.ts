import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  OrderByItemNode,
  OrderByNode,
  RawNode,
  ReferenceNode,
  type SelectQueryNode,
  TableNode,
} from "kysely";
import { UnsupportedError } from "../../errors/configuration.ts";
import { UnknownColumnError } from "../../errors/unknown-column.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import { type AnyTable, tableOfNode } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { bindOf, rootSelection, type SelectParts } from "../select/select-parts.ts";

/** A column that rows are ordered by. */
export interface KeysetColumn {
  readonly reference: ReferenceNode;
  readonly column: TableColumn;
  readonly descending: boolean;
  /** Whether it may be null in a row. */
  readonly nullable: boolean;
  /** Where the select says that null comes; where it does not, the database decides. */
  readonly nulls: "first" | "last" | undefined;
}

/** Something that columns in an order can be of. */
interface Ordered {
  readonly alias: string;
  readonly columns: ReadonlyMap<string, { readonly column: TableColumn; readonly nullable: boolean }>;
  readonly key: readonly string[];
  /** Whether its columns are part of the rows. */
  readonly isRead: boolean;
}

/** Kinds of column that cannot be part of a cursor: they have no order, or an unknown one. */
const UNORDERED: ReadonlySet<TypeKind> = new Set(["json", "native"]);

/**
 * The columns that tell a row's place among all rows: those of the select's order, and the primary keys of its tables,
 * so that no two rows have the same place.
 *
 * @throws {UnsupportedError} if the order, or what else the select says, does not tell every row's place
 */
export function keysetOrder(parts: SelectParts, node: SelectQueryNode): readonly KeysetColumn[] {
  requirePlaces(parts, node);
  // Columns of joined tables are not part of distinct rows, and cannot identify their positions.
  const sources = sourcesOf(parts, node).filter(({ isRead }) => isRead || node.frontModifiers === undefined);
  const given = (node.orderBy?.items ?? []).map((item) => ordered(parts, node, item, sources));
  const descending = given.at(-1)?.descending ?? false;
  const keys = sources.flatMap((source) => {
    if (source.key.length === 0) throw refused(parts, `"${source.alias}" has no primary key`);
    return source.key.map((name) => columnOf(source, name, descending, undefined)!);
  });
  return [...given, ...keys.filter((key) => !given.some((column) => isSame(column, key)))];
}

/** The order by these columns, or the opposite one. */
export function orderNode(columns: readonly KeysetColumn[], backwards: boolean): OrderByNode {
  return OrderByNode.create(
    columns.map(({ reference, descending, nulls }) => {
      const direction = RawNode.createWithSql(descending === backwards ? "asc" : "desc");
      const item = OrderByItemNode.create(reference, direction);
      if (nulls === undefined) return item;
      return OrderByItemNode.cloneWith(item, { nulls: (nulls === "first") === backwards ? "last" : "first" });
    }),
  );
}

/** @throws {UnsupportedError} if the select's rows have no places of their own */
function requirePlaces(parts: SelectParts, { limit, offset, groupBy, having, frontModifiers }: SelectQueryNode): void {
  if (limit !== undefined || offset !== undefined) throw refused(parts, "it has a limit or offset of its own");
  if (groupBy !== undefined || having !== undefined) throw refused(parts, "its rows are groups");
  if (frontModifiers !== undefined && parts.readsRows)
    throw refused(parts, "its rows are distinct by what was selected");
}

function refused(parts: SelectParts, why: string): UnsupportedError {
  return new UnsupportedError(
    `keyset() cannot tell the place of each row of this select of ${parts.root.mapper.label}: ${why}. Order by columns of the model and of joined tables, or use paginate().`,
    bindOf(parts),
  );
}

function ordered(
  parts: SelectParts,
  { selections = [] }: SelectQueryNode,
  item: OrderByItemNode,
  sources: readonly Ordered[],
): KeysetColumn {
  const { orderBy: node, direction, nulls, collation } = item;
  if (!ReferenceNode.is(node) || !ColumnNode.is(node.column) || collation !== undefined)
    throw refused(parts, "it is ordered by an expression");
  const name = node.column.column.name;
  const alias = node.table?.table.identifier.name;
  // A name alone means what was selected under it, before it means a column.
  const isSelected = selections.some(
    ({ selection }) => AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === name,
  );
  if (alias === undefined && parts.readsRows && isSelected)
    throw refused(parts, `it is ordered by "${name}" as it was selected`);
  const descending = direction !== undefined && RawNode.is(direction) && direction.sqlFragments[0] === "desc";
  const found = sources
    .filter((source) => alias === undefined || source.alias === alias)
    .flatMap((source) => columnOf(source, name, descending, nulls) ?? []);
  if (found.length === 0) throw unknownInOrder(parts, name, alias, sources);
  if (found.length !== 1) throw refused(parts, `it is ordered by "${name}", which is no column of the rows' tables`);
  const [column] = found as [KeysetColumn];
  const { kind } = column.column.definition.type;
  if (UNORDERED.has(kind)) throw refused(parts, `it is ordered by "${name}", a column of type ${kind}`);
  return column;
}

/** The error for a name in the order that no column of the rows has. */
function unknownInOrder(
  parts: SelectParts,
  column: string,
  alias: string | undefined,
  sources: readonly Ordered[],
): Error {
  const owners = sources
    .filter((source) => alias === undefined || source.alias === alias)
    .map((source) => ({ name: source.alias, columns: [...source.columns.keys()] }));
  return owners.length === 0
    ? refused(parts, `it is ordered by "${column}", which is no column of the rows' tables`)
    : new UnknownColumnError({ ...bindOf(parts), column, owners });
}

function columnOf(
  { alias, columns }: Ordered,
  name: string,
  descending: boolean,
  nulls: "first" | "last" | undefined,
): KeysetColumn | undefined {
  const found = columns.get(name);
  if (found === undefined) return undefined;
  const reference = ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias));
  return { reference, ...found, descending, nulls };
}

function isSame({ reference: one }: KeysetColumn, { reference: other }: KeysetColumn): boolean {
  const nameOf = ({ table, column }: ReferenceNode) =>
    `${table!.table.identifier.name}.${(column as ColumnNode).column.name}`;
  return nameOf(one) === nameOf(other);
}

/** The select's first model, and whatever it joins. A row of what is joined may be missing. */
function sourcesOf(parts: SelectParts, { joins = [] }: SelectQueryNode): readonly Ordered[] {
  const joined = joins.map(({ table: source }, index): Ordered => {
    const model = parts.joined.find(({ join }) => join === index);
    if (model?.isRead === true) return sourceOfModel(model.mapper, model.alias ?? model.mapper.table.tableName, true);
    const table = tableIn(source);
    if (table === undefined) throw refused(parts, "it joins something that is no table");
    const alias = AliasNode.is(source) && IdentifierNode.is(source.alias) ? source.alias.name : table.tableName;
    return sourceOfTable(table, alias);
  });
  const { mapper, alias } = rootSelection(parts);
  return [sourceOfModel(mapper, alias, false), ...joined];
}

function sourceOfModel(mapper: Mapper, alias: string, isJoined: boolean): Ordered {
  const columns = mapper.properties.map(
    ({ name, column, required }) => [name, { column, nullable: isJoined || !required }] as const,
  );
  return { alias, columns: new Map(columns), key: mapper.key.map(({ name }) => name), isRead: true };
}

function sourceOfTable(table: AnyTable, alias: string): Ordered {
  const columns = table.columnList.map((column) => [column.property, { column, nullable: true }] as const);
  return { alias, columns: new Map(columns), key: table.primaryKey.map(({ property }) => property), isRead: false };
}

function tableIn(node: OperationNode): AnyTable | undefined {
  return tableOfNode(AliasNode.is(node) ? node.node : node);
}
