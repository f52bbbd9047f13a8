import { ColumnNode } from "kysely";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ColumnConverter } from "../values/column-converter.ts";
import type { CompileTarget } from "./compile-target.ts";

/** One column that a query puts out. */
export interface Output {
  /** Its name in rows and references; absent where the database makes one up. */
  readonly name: string | undefined;
  /** How its values are written and read; absent where it is not a column of a table. */
  readonly converter: ColumnConverter | undefined;
}

/** The columns that a query puts out. */
export interface Outputs {
  readonly columns: readonly Output[];
  /** Whether there can be no others, as there are behind the star of an unknown table. */
  readonly isComplete: boolean;
}

/** Something that a query takes rows from: a table, another query, or what is known by name only. */
export interface Relation extends Outputs {
  /** What references call it. */
  readonly name: string | undefined;
  /** The table that it is. */
  readonly table?: AnyTable;
  /** Whether references call a column otherwise than the database does. */
  readonly isRenamed: boolean;
  /** Whether a reference to any other column is a mistake. */
  readonly isClosed: boolean;
  has(column: string): boolean;
  converter(column: string): ColumnConverter | undefined;
  /** The column's name in the database. */
  databaseName(column: string): string;
  as(name: string | undefined): Relation;
}

/** A table of which there is a description. */
export class TableRelation implements Relation {
  readonly name: string | undefined;
  readonly table: AnyTable;
  readonly isComplete = true;
  readonly isClosed: boolean;
  readonly #engine: CompileTarget;

  /** @param isClosed `false` where a string names the table: such names have types of the application's own */
  constructor(name: string | undefined, table: AnyTable, engine: CompileTarget, isClosed = true) {
    this.name = name;
    this.table = table;
    this.isClosed = isClosed;
    this.#engine = engine;
  }

  get columns(): readonly Output[] {
    return this.table.columnList.map((column) => ({
      name: column.property,
      converter: this.#engine.converter(column),
    }));
  }

  get isRenamed(): boolean {
    return this.table.columnList.some(({ name, property }) => name !== property);
  }

  has(column: string): boolean {
    return this.#find(column) !== undefined;
  }

  converter(column: string): ColumnConverter | undefined {
    const found = this.#find(column);
    return found === undefined ? undefined : this.#engine.converter(found);
  }

  databaseName(column: string): string {
    return this.#find(column)?.name ?? column;
  }

  as(name: string | undefined): Relation {
    return new TableRelation(name, this.table, this.#engine, this.isClosed);
  }

  #find(column: string): TableColumn | undefined {
    return this.table.findColumn(column);
  }
}

/** A subquery, or a common table expression. Its columns are named as its selections are, so nothing is renamed. */
export class QueryRelation implements Relation {
  readonly name: string | undefined;
  readonly columns: readonly Output[];
  readonly isComplete: boolean;
  readonly isRenamed = false;

  /** A database makes up the names of expressions without an alias. */
  get isClosed(): boolean {
    return this.isComplete && this.columns.every(({ name }) => name !== undefined);
  }

  constructor(name: string | undefined, { columns, isComplete }: Outputs) {
    this.name = name;
    this.columns = columns;
    this.isComplete = isComplete;
  }

  has(column: string): boolean {
    return this.#find(column) !== undefined;
  }

  converter(column: string): ColumnConverter | undefined {
    return this.#find(column)?.converter;
  }

  databaseName(column: string): string {
    return column;
  }

  as(name: string | undefined): Relation {
    return new QueryRelation(name, this);
  }

  #find(column: string): Output | undefined {
    return this.columns.find(({ name }) => name === column);
  }
}

/** Nothing is known of the columns. */
export const UNKNOWN: Outputs = Object.freeze({ columns: [], isComplete: false });

/** A column under its name in the database. */
export function databaseColumn(node: ColumnNode, relation: Relation | undefined): ColumnNode {
  const { name } = node.column;
  const databaseName = relation?.databaseName(name) ?? name;
  return databaseName === name ? node : ColumnNode.create(databaseName);
}
