import type { GeneratedColumn } from "../../schema/column.ts";
import type { LogicalType } from "../../schema/logical-type.ts";
import type { ReferentialAction } from "../../schema/reference-options.ts";

/** A column as a catalogue describes it. */
export interface ReflectedColumn {
  readonly name: string;
  readonly type: LogicalType;
  readonly nullable: boolean;
  /** The default's SQL. */
  readonly serverDefault?: string | undefined;
  readonly generated?: GeneratedColumn | undefined;
  /** Whether the database numbers new rows in this column. */
  readonly automatic: boolean;
}

/** A unique constraint, by the names of its columns. */
export interface ReflectedUnique {
  readonly name?: string | undefined;
  readonly columns: readonly string[];
}

/** An index over plain columns. */
export interface ReflectedIndex {
  readonly name: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

/** An index that only its database can describe: partial, over expressions, of a kind of its own. */
export interface ReflectedIndexText {
  readonly name: string;
  /** The statement that makes it. */
  readonly definition: string;
}

/** A check constraint, as SQL. */
export interface ReflectedCheck {
  readonly name?: string | undefined;
  readonly expression: string;
}

/** A foreign key, by names. */
export interface ReflectedForeignKey {
  readonly name?: string | undefined;
  readonly columns: readonly string[];
  /** The schema of the table referred to, where it is not the one that is reflected. */
  readonly targetSchema?: string | undefined;
  readonly target: string;
  readonly targetColumns: readonly string[];
  readonly onDelete?: ReferentialAction | undefined;
  readonly onUpdate?: ReferentialAction | undefined;
}

/** A table as a catalogue describes it. */
export interface ReflectedTable {
  readonly name: string;
  readonly columns: readonly ReflectedColumn[];
  /** The columns of the primary key, in the key's own order. */
  readonly primaryKey: readonly string[];
  readonly uniques: readonly ReflectedUnique[];
  readonly indexes: readonly ReflectedIndex[];
  readonly indexTexts: readonly ReflectedIndexText[];
  readonly checks: readonly ReflectedCheck[];
  readonly foreignKeys: readonly ReflectedForeignKey[];
}

/** The tables of a connection's own schema. */
export interface ReflectedSchema {
  readonly tables: readonly ReflectedTable[];
  /** Whether the database takes `User` and `user` for the same table. */
  readonly foldsCase: boolean;
}

/** The action of a foreign key, by a catalogue's word for it; none for the one that applies where nothing is said. */
export function referentialAction(word: string): ReferentialAction | undefined {
  switch (word.toLowerCase()) {
    case "cascade":
      return "cascade";
    case "set null":
      return "set null";
    case "set default":
      return "set default";
    case "restrict":
      return "restrict";
    default:
      return undefined;
  }
}
