import { type AnyTable, Table } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { type MappedProperty, mapperOfClass } from "../mapper.ts";
import type { RelationFact } from "./relation-fact.ts";
import { areUnique, quotedNames, type RelationSides, refused, requireAlike } from "./relation-sides.ts";

/** A table whose rows hold the keys of both sides. */
export interface RelationLink {
  readonly table: AnyTable;
  /** Its columns with the values of the class that has the relation. */
  readonly from: readonly { readonly own: MappedProperty; readonly column: TableColumn }[];
  /** Its columns with the values of the target. */
  readonly to: readonly { readonly other: MappedProperty; readonly column: TableColumn }[];
}

/** @throws {SchemaError} if rows of the table between cannot stand for pairs of the two sides, each once */
export function linkOf(sides: RelationSides, { link, columns }: RelationFact): RelationLink {
  const { owner, target } = sides;
  const given = link!();
  const table = given instanceof Table ? (given as AnyTable) : mapperOfClass(given).table;
  const { from, to } = columns as Readonly<Record<string, string>>;
  if (from === undefined || to === undefined || Object.keys(columns).length !== 2)
    throw refused(sides, "expected its columns to be { from, to }.");
  if (from === to) throw refused(sides, `"${from}" of table ${table.label} cannot hold the keys of both sides.`);
  for (const { key, label } of [owner, target])
    if (key.length !== 1)
      throw refused(sides, `the key of ${label} has several columns; relate to the link as a model.`);
  const [own, other] = [owner.key[0]!, target.key[0]!];
  const made: RelationLink = {
    table,
    from: [{ own, column: columnOf(sides, table, from) }],
    to: [{ other, column: columnOf(sides, table, to) }],
  };
  requireAlike(sides, own.column, made.from[0]!.column);
  requireAlike(sides, other.column, made.to[0]!.column);
  requireEachPairOnce(sides, made);
  requireNothingElse(sides, made);
  return made;
}

function columnOf(sides: RelationSides, table: AnyTable, name: string): TableColumn {
  const found = Object.hasOwn(table.columns, name) ? (table.columns[name] as TableColumn) : undefined;
  if (found !== undefined) return found;
  throw refused(
    sides,
    `table ${table.label} has no column "${name}". Its columns: ${quotedNames(Object.keys(table.columns))}.`,
  );
}

function requireEachPairOnce(sides: RelationSides, link: RelationLink): void {
  const { table } = link;
  const names = columnsOf(link).map(({ property }) => property);
  const key = table.primaryKey.map(({ property }) => property);
  if (areUnique(key, [table], names)) return;
  throw refused(
    sides,
    `table ${table.label} may hold a pair of ${quotedNames(names)} twice. Make them its primary key, or add \`unique([${names.map((name) => `"${name}"`).join(", ")}])\` to its constraints.`,
  );
}

function requireNothingElse(sides: RelationSides, link: RelationLink): void {
  const { table } = link;
  const known = new Set(columnsOf(link));
  const missing = table.columnList.find((column) => !known.has(column) && !fillsItself(column, table));
  if (missing === undefined) return;
  throw refused(
    sides,
    `a row of table ${table.label} needs a value for "${missing.property}" too. Make the table a model and relate to that, or declare a \`view\`.`,
  );
}

/** Whether a row may be inserted without a value for a column. */
function fillsItself(column: TableColumn, table: AnyTable): boolean {
  const { nullable, default: made, serverDefault, generated, version, automatic } = column.definition;
  return (
    nullable === true ||
    made !== undefined ||
    serverDefault !== undefined ||
    generated !== undefined ||
    version === true ||
    automatic === true ||
    table.generatedKey === column
  );
}

function columnsOf({ from, to }: RelationLink): readonly TableColumn[] {
  return [...from, ...to].map(({ column }) => column);
}
