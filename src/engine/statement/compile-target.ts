import type { CompiledQuery, QueryId, RootOperationNode } from "kysely";
import type { BindKey } from "../../bind-key.ts";
import type { LogicalType } from "../../schema/logical-type.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ServerLacks } from "../driver.ts";
import type { Family, WriteKind } from "../family.ts";
import type { Codec } from "../values/codec.ts";
import type { ColumnConverter } from "../values/column-converter.ts";

/** The database that statements are compiled for: an engine, as far as the compiler needs it. */
export interface CompileTarget {
  /** The bind, for the messages of errors. */
  readonly bindKey: BindKey;
  readonly family: Family;
  /** Features that the server lacks, although others of its family have them; undefined while it was not asked. */
  readonly lacksHere: ServerLacks | undefined;
  /** Whether a statement of this kind can return rows. */
  supportsReturning(kind: WriteKind): boolean;
  /** The conversion of a column's values. */
  converter(column: TableColumn): ColumnConverter;
  /** How values of a type are written and read. */
  codec(type: LogicalType): Codec;
  /** Compiles a statement's tree into SQL. */
  compileQuery(node: RootOperationNode, queryId?: QueryId): CompiledQuery;
}
