import type { Engine } from "../../engine/engine.ts";
import { memoizePerEngine } from "../../engine/memoize-per-engine.ts";
import type { StoredRow } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { FlushUnit } from "./flush-unit.ts";
import { KeptValues } from "./kept-values.ts";
import type { Rows } from "./many-rows.ts";
import type { NewValues } from "./new-values.ts";
import { TableDelete } from "./table-delete.ts";
import { TableInsert } from "./table-insert.ts";
import { TableUpdate } from "./table-update.ts";

/** Picks what a list of one value for each property has of one table; undefined where that is all. */
type Places = readonly number[] | undefined;

/** A column of a joined child's key: it has its value from the parent's row, which is there before. */
interface LinkedColumn {
  /** The root's property, whose value it is. */
  readonly source: MappedProperty;
  /** The child's own property, if it has one. */
  readonly property: MappedProperty | undefined;
}

/** What new rows alike write into one of their tables, and what is read back. */
export class InsertPart {
  readonly linked: readonly LinkedColumn[];
  readonly fetched: readonly MappedProperty[];
  /** Keys that are given, and may be stored in another form: by a trigger, or with or without spaces at the end. */
  readonly confirmed: readonly MappedProperty[];
  readonly statements: TableInsert;
  readonly #places: Places;
  readonly #sources: KeptValues;

  constructor(table: AnyTable, mapper: Mapper, engine: Engine, properties: readonly MappedProperty[]) {
    const { columns, places } = inTable(table, mapper, properties);
    // A joined child's key is that of its parent's row, which is there by now.
    const links = table === mapper.root.table ? [] : table.primaryKey.filter((column) => !columns.includes(column));
    this.linked = links.map((column) => ({
      source: mapper.key[table.primaryKey.indexOf(column)]!,
      property: mapper.properties.find((one) => one.column === column),
    }));
    this.fetched = mapper.properties.filter(
      (property) => property.table === table && !columns.includes(property.column) && !links.includes(property.column),
    );
    this.confirmed = engine.family.storesKeysAsGiven
      ? []
      : mapper.key.filter(({ table: own, column }) => own === table && columns.includes(column));
    const columnOf = ({ column }: MappedProperty) => column;
    this.statements = new TableInsert(
      table,
      engine,
      [...links, ...columns],
      this.fetched.map(columnOf),
      this.confirmed.map(columnOf),
    );
    this.#places = places;
    this.#sources = new KeptValues(
      this.linked.map(({ source }) => source),
      engine,
    );
  }

  /** Rows' values, each in the order of the statement. */
  writtenRows(values: readonly NewValues[]): Rows {
    const rows = new Array<readonly unknown[]>(values.length);
    for (let place = 0; place < rows.length; place++) rows[place] = this.written(values[place]!);
    return rows;
  }

  /** A row's values in the order of the statement. */
  written({ written, row }: NewValues): readonly unknown[] {
    if (this.#sources.size === 0) return picked(written, this.#places);
    return [...this.#sources.of(row), ...picked(written, this.#places)];
  }
}

/** How new rows are stored that are given the same properties. */
export class InsertShape {
  readonly parts: readonly InsertPart[];
  /** Whether one statement writes a row, and tells all that the database fills in. */
  readonly isOneStatement: boolean;

  constructor(mapper: Mapper, engine: Engine, properties: readonly MappedProperty[]) {
    this.parts = mapper.tables.map((table) => new InsertPart(table, mapper, engine, properties));
    this.isOneStatement = mapper.tables.length === 1 && this.parts[0]!.statements.isOneStatement;
  }
}

/** What updated rows alike write into one of their tables. */
export class UpdatePart {
  readonly statements: TableUpdate;
  readonly #places: Places;
  readonly #told: KeptValues;

  constructor(statements: TableUpdate, places: Places, told: KeptValues) {
    this.statements = statements;
    this.#places = places;
    this.#told = told;
  }

  /** Rows' values, each in the order of the statement: the new ones, then those that tell the row as it was. */
  writtenRows(values: readonly NewValues[], before: readonly StoredRow[]): Rows {
    const rows = new Array<readonly unknown[]>(values.length);
    for (let place = 0; place < rows.length; place++) {
      rows[place] = this.#told.behind(picked(values[place]!.written, this.#places), before[place]!);
    }
    return rows;
  }
}

/** How rows are updated in the same properties. */
export class UpdateShape {
  readonly parts: readonly UpdatePart[];
  /** Whether rows get other keys. */
  readonly changesKey: boolean;
  /** Whether one statement writes a row. */
  readonly isOneStatement: boolean;

  constructor(mapper: Mapper, engine: Engine, properties: readonly MappedProperty[]) {
    this.parts = mapper.tables.flatMap((table) => {
      const { columns, places } = inTable(table, mapper, properties);
      if (columns.length === 0) return [];
      const { told, where } = tellingColumns(table, mapper, engine);
      return [new UpdatePart(new TableUpdate(table, engine, columns, where), places, told)];
    });
    this.isOneStatement = mapper.tables.length === 1 && this.parts.every(({ statements }) => statements.isOneStatement);
    this.changesKey = properties.some((property) => mapper.key.includes(property));
  }
}

/** How rows of a model are deleted from one of their tables. */
export interface DeletePart {
  /** What tells a row. */
  readonly told: KeptValues;
  readonly statements: TableDelete;
}

/** How rows of a model are stored on an engine: the shapes that there were so far. */
export class RowShapes {
  readonly #mapper: Mapper;
  readonly #engine: Engine;
  readonly #inserts = new Map<string, InsertShape>();
  readonly #updates = new Map<string, UpdateShape>();
  /** Lists that rows share lead to their shape at once. */
  readonly #insertsByList = new WeakMap<readonly MappedProperty[], InsertShape>();
  readonly #updatesByList = new WeakMap<readonly MappedProperty[], UpdateShape>();
  /** From the last table to the root's. */
  readonly deletes: readonly DeletePart[];

  constructor(mapper: Mapper, engine: Engine) {
    this.#mapper = mapper;
    this.#engine = engine;
    this.deletes = mapper.tables.toReversed().map((table) => {
      const { told, where } = tellingColumns(table, mapper, engine);
      return { told, statements: new TableDelete(table, engine, where) };
    });
  }

  forInsert(properties: readonly MappedProperty[]): InsertShape {
    let shape = this.#insertsByList.get(properties);
    if (shape === undefined) {
      shape = kept(this.#inserts, properties, () => new InsertShape(this.#mapper, this.#engine, properties));
      this.#insertsByList.set(properties, shape);
    }
    return shape;
  }

  forUpdate(properties: readonly MappedProperty[]): UpdateShape {
    let shape = this.#updatesByList.get(properties);
    if (shape === undefined) {
      shape = kept(this.#updates, properties, () => new UpdateShape(this.#mapper, this.#engine, properties));
      this.#updatesByList.set(properties, shape);
    }
    return shape;
  }
}

/** How rows of a model are stored on an engine. */
export const rowShapes = memoizePerEngine((mapper: Mapper, engine: Engine) => new RowShapes(mapper, engine));

/** Whether a row is written, and all that the database fills in of it is known, by one statement. */
export function isOneStatement(unit: FlushUnit): boolean {
  const { mapper, engine } = unit;
  const shapes = rowShapes(mapper, engine);
  if (unit.kind === "insert") return shapes.forInsert(unit.values.properties).isOneStatement;
  return unit.kind === "update" ? shapes.forUpdate(unit.values.properties).isOneStatement : mapper.tables.length === 1;
}

/** One table's part of a list with one value for each property. */
function picked(values: readonly unknown[], places: Places): readonly unknown[] {
  return places === undefined ? values : places.map((place) => values[place]);
}

function kept<S>(shapes: Map<string, S>, properties: readonly MappedProperty[], make: () => S): S {
  const names = properties.map(({ name }) => name).join();
  let shape = shapes.get(names);
  if (shape === undefined) {
    shape = make();
    shapes.set(names, shape);
  }
  return shape;
}

/** The properties that are in one of a model's tables. */
function inTable(
  table: AnyTable,
  { tables }: Mapper,
  properties: readonly MappedProperty[],
): { readonly columns: readonly TableColumn[]; readonly places: Places } {
  if (tables.length === 1) return { columns: properties.map(({ column }) => column), places: undefined };
  const places = [...properties.keys()].filter((place) => properties[place]!.table === table);
  return { columns: places.map((place) => properties[place]!.column), places };
}

/** The condition that identifies a row and checks its version, so that no update is lost. */
function tellingColumns(
  table: AnyTable,
  { key, version }: Mapper,
  engine: Engine,
): { readonly told: KeptValues; readonly where: readonly TableColumn[] } {
  const guards = version?.table === table ? [version] : [];
  const told = new KeptValues([...key, ...guards], engine);
  return { told, where: [...table.primaryKey, ...guards.map(({ column }) => column)] };
}
