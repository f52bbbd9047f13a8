import type { MappedProperty, Mapper } from "../../../model/mapper.ts";
import type { ForeignKey } from "../../../schema/foreign-key.ts";
import type { Metadata } from "../../../schema/metadata.ts";
import type { Metadatas } from "../../../schema/metadatas.ts";
import type { ReferentialAction } from "../../../schema/reference-options.ts";
import type { AnyTable } from "../../../schema/table.ts";
import type { TableColumn } from "../../../schema/table-column.ts";

/** Columns of one table whose values are looked at together. */
export interface ColumnSet {
  readonly table: AnyTable;
  /** Names the columns, the same for every model of the table. */
  readonly id: string;
  readonly properties: readonly MappedProperty[];
}

/** A foreign key of a model's rows. */
export interface Reference {
  readonly properties: readonly MappedProperty[];
  readonly target: AnyTable;
  /** Names the columns that it leads to, as the `id` of their set. */
  readonly targetId: string;
  readonly onDelete: ReferentialAction | undefined;
  readonly onUpdate: ReferentialAction | undefined;
}

/** The constraints between the rows of a model and others. */
export interface RowConstraints {
  /** The columns whose values no two rows share. */
  readonly uniqueSets: readonly ColumnSet[];
  readonly references: readonly Reference[];
  /** The columns that foreign keys lead to. */
  readonly referredSets: readonly ColumnSet[];
  /** The properties of unique and referred sets: an update of others frees and gives nothing. */
  readonly watched: ReadonlySet<MappedProperty>;
}

/** Finds the constraints of a model's rows. */
export type ConstraintDirectory = (mapper: Mapper) => RowConstraints;

interface Known {
  readonly revision: number;
  readonly referred: ReadonlyMap<AnyTable, readonly ReferringKey[]>;
  readonly byMapper: Map<Mapper, RowConstraints>;
}

interface ReferringKey {
  readonly key: ForeignKey;
  readonly columns: readonly TableColumn[];
}

const known = new WeakMap<Metadata, Known>();

/** The constraints of models; found again when tables have come or been replaced. */
export function constraintsIn(metadatas: Metadatas): ConstraintDirectory {
  let last: Mapper | undefined;
  let constraints: RowConstraints | undefined;
  return (mapper) => {
    // Most rows are of the same model as the one before.
    if (mapper !== last || constraints === undefined) constraints = knownConstraints(mapper, metadatas);
    last = mapper;
    return constraints;
  };
}

function knownConstraints(mapper: Mapper, metadatas: Metadatas): RowConstraints {
  const metadata = metadatas.get(mapper.table.bindKey);
  let ofBind = known.get(metadata);
  if (ofBind?.revision !== metadata.revision) {
    ofBind = { revision: metadata.revision, referred: referringKeys(metadata, metadatas), byMapper: new Map() };
    known.set(metadata, ofBind);
  }
  let constraints = ofBind.byMapper.get(mapper);
  if (constraints === undefined) {
    constraints = constraintsOf(mapper, metadatas, ofBind.referred);
    ofBind.byMapper.set(mapper, constraints);
  }
  return constraints;
}

function referringKeys(metadata: Metadata, metadatas: Metadatas): Map<AnyTable, ReferringKey[]> {
  const keys = [...metadata.tables.values()].flatMap(({ foreignKeys }) => foreignKeys);
  const resolved = keys.map((key) => ({ key, ...key.resolve(metadatas) }));
  return Map.groupBy(resolved, ({ table }) => table);
}

function constraintsOf(mapper: Mapper, metadatas: Metadatas, referred: Known["referred"]): RowConstraints {
  const uniqueSets = mapper.tables.flatMap((table) => uniqueSetsOf(table, mapper));
  const family = new Set([...mapper.root.family()].flatMap(({ tables }) => tables));
  const referredSets = mapper.tables.flatMap((table) =>
    (referred.get(table) ?? [])
      .filter(({ key }) => !isJoin(key, family))
      .flatMap(({ columns }) =>
        setOf(
          table,
          columns,
          columns.map((column) => propertyOf(column, mapper)),
        ),
      ),
  );
  return {
    uniqueSets,
    references: mapper.tables.flatMap((table) => referencesOf(table, mapper, metadatas)),
    referredSets: withoutDoubles(referredSets),
    watched: new Set([...uniqueSets, ...referredSets].flatMap(({ properties }) => properties)),
  };
}

function uniqueSetsOf(table: AnyTable, mapper: Mapper): ColumnSet[] {
  const named = [...table.uniques, ...table.indexes.filter(({ unique }) => unique)].map(({ columns }) =>
    columns.map((name) => table.findColumn(name)!),
  );
  const sets = [table.primaryKey, ...named].flatMap((columns) =>
    setOf(
      table,
      columns,
      columns.map((column) => mapper.properties.find((property) => property.column === column)),
    ),
  );
  return withoutDoubles(sets);
}

/** None where the model lacks one of the columns: no row of its own has a value there. */
function setOf(
  table: AnyTable,
  columns: readonly TableColumn[],
  properties: readonly (MappedProperty | undefined)[],
): ColumnSet[] {
  if (properties.includes(undefined)) return [];
  // There is no undefined among them.
  return [{ table, id: idOf(columns), properties: properties as MappedProperty[] }];
}

function withoutDoubles(sets: readonly ColumnSet[]): ColumnSet[] {
  return sets.filter((set, place) => sets.findIndex(({ table, id }) => table === set.table && id === set.id) === place);
}

function idOf(columns: readonly TableColumn[]): string {
  return columns.map(({ name }) => name).join();
}

/** The property that a row has in a column; a joined child's key is that of its root. */
function propertyOf(column: TableColumn, { properties, tables, key }: Mapper): MappedProperty | undefined {
  const own = properties.find((property) => property.column === column);
  if (own !== undefined) return own;
  const table = tables.find(({ primaryKey }) => primaryKey.includes(column));
  return table && key[table.primaryKey.indexOf(column)];
}

/** Whether a foreign key joins the tables of one row, which are written and deleted together. */
function isJoin({ columns }: ForeignKey, family: ReadonlySet<AnyTable>): boolean {
  return [...family].some(
    ({ primaryKey, columnList }) =>
      columnList.includes(columns[0]!) && columns.every((column) => primaryKey.includes(column)),
  );
}

function referencesOf(table: AnyTable, mapper: Mapper, metadatas: Metadatas): Reference[] {
  return table.foreignKeys.flatMap((key) => {
    const properties = key.columns.map((column) => mapper.properties.find((property) => property.column === column));
    // A joined child's key leads to its own parent row, which is written with it.
    if (properties.includes(undefined)) return [];
    const { table: target, columns } = key.resolve(metadatas);
    const { onDelete, onUpdate } = key;
    // There is no undefined among them.
    return [{ properties: properties as MappedProperty[], target, targetId: idOf(columns), onDelete, onUpdate }];
  });
}
