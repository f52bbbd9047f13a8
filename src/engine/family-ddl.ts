import type { ColumnDefinitionNode, RawBuilder } from "kysely";
import type { AnyTable } from "../schema/table.ts";
import type { TableColumn } from "../schema/table-column.ts";
import type { RunQuery } from "./reflection/catalog-query.ts";

/** The kind of object that a database has under the name of a table. */
export interface FoundTable {
  readonly table: AnyTable;
  readonly kind: "table" | "view";
  /** Where it really is: the schema (PostgreSQL), database (MySQL, MariaDB) or attached file (SQLite). */
  readonly schema: string;
  readonly name: string;
}

/** A foreign key to a table, by the names of both tables. */
export interface ForeignReference {
  /** The table that has the key. */
  readonly name: string;
  /** The table that the key leads to. */
  readonly target: string;
}

/** The objects to drop. */
export interface Drop {
  /** The tables in the order in which they are dropped. */
  readonly tables: readonly FoundTable[];
  /** Whether tables refer to each other in a circle, so that no order suits them all. */
  readonly circular: boolean;
}

/** How a family of databases makes and drops tables, where it differs from the others. */
export interface FamilyDdl {
  /** Finds tables, and views of their names, in the catalogue. */
  findTables(tables: readonly AnyTable[], run: RunQuery): Promise<ReadonlyMap<AnyTable, FoundTable>>;

  /** Why a table cannot be made here, if it cannot. */
  refusal?(table: AnyTable): string | undefined;

  /** Lets the database generate a key; `name` is that of the primary key constraint. */
  generateKey(column: TableColumn, definition: ColumnDefinitionNode, name: string | undefined): ColumnDefinitionNode;

  /**
   * Whether {@link generateKey} has said already that the column is the primary key. Such a database numbers nothing but a
   * sole key: other columns that the database numbered where they were reflected need a value there.
   */
  readonly generatedKeyIsPrimary: boolean;

  /** A default as `create table` takes it, made of an expression's SQL. */
  defaultValue(column: TableColumn, expression: string): string;

  /** The condition of a check, where the database keeps values otherwise than SQL says them. */
  checkCondition?(condition: string, table: AnyTable): string;

  /** Whether a column computed from others may be declared not null. */
  readonly generatedNotNull: boolean;

  /**
   * The clause that gives a table the character set of its columns, where checks and defaults are converted to that of
   * the table.
   */
  readonly tableCharacterSet?: string;

  /** Bytes as a literal, made of their hexadecimal digits. */
  binaryLiteral(hex: string): string;

  /** Whether a foreign key can be added to a table that is there already. */
  readonly addsForeignKeys: boolean;

  /** Whether a schema is an attached file: foreign keys stay inside of it, and indexes are named with it. */
  readonly schemasAreFiles: boolean;

  /** Finds a foreign key to one of these tables from one that is not among them: it would break, or stop the others' drop half-way. */
  foreignReference(tables: readonly FoundTable[], run: RunQuery): Promise<ForeignReference | undefined>;

  /** The statements to be sent, in the same transaction, before tables can be dropped. */
  beforeDrop(drop: Drop, run: RunQuery): Promise<readonly RawBuilder<unknown>[]>;

  /** Does work during which the database lets tables go that others refer to; absent where it never needs that. */
  withoutForeignKeys?<T>(run: RunQuery, work: () => Promise<T>): Promise<T>;
}
