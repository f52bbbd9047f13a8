import { type BindKey, bindLabel } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";

/** No engine is configured for what a statement needs. */
export class UnboundExecutionError extends MultibindError {
  readonly code = "UNBOUND_EXECUTION";
}

/** A table as a {@link CrossBindError} names it. */
export interface BoundTableName {
  /** The table's name. */
  readonly table: string;
  /** The bind that it belongs to; `null` is the default one. */
  readonly bindKey: BindKey;
}

/**
 * One statement names tables of two binds, or tables of one bind and another bind key beside them. No database can run
 * it, so it is not sent.
 */
export class CrossBindError extends MultibindError {
  readonly code = "CROSS_BIND";
  /** The tables that the statement names, each with its bind, in order of appearance. */
  readonly tables: readonly BoundTableName[];

  /** @param explicit the bind key that was given beside the tables, if that is what does not fit */
  constructor(tables: readonly BoundTableName[], explicit?: BindKey) {
    const named = tables.map(({ table, bindKey }) => `"${table}" (${bindLabel(bindKey)})`).join(", ");
    super(
      explicit === undefined
        ? `One statement names tables of different binds: ${named}. Nothing was sent. A statement runs on one database: ` +
            'query each bind on its own and combine the results, for example with `where(column, "in", keys)`.'
        : `The statement names ${named}, and was to run on ${bindLabel(explicit)}. Nothing was sent. ` +
            "Leave the bind key out: the tables tell where to run.",
      explicit === undefined ? {} : { bindKey: explicit },
    );
    this.tables = tables;
  }
}

/**
 * A model or table is used with a session, an engine or tables of another `Multibind` object than the one that it was
 * defined with. The same bind key means another database there, so nothing is sent.
 */
export class OtherMultibindError extends MultibindError {
  readonly code = "OTHER_MULTIBIND";
  /** The table that does not belong here. */
  readonly table: string;

  /**
   * @param owner the name of the `Multibind` object that the table was defined with
   * @param used the name of the one that it was used with
   */
  constructor(table: string, bindKey: BindKey, owner: string, used: string) {
    super(
      `Cannot use table "${table}" (${bindLabel(bindKey)}) here: it was defined with ${owner}, and this belongs to ${used}. ` +
        `Use the session or engine of an application of ${owner}, or define the table with ${used}.`,
      { bindKey },
    );
    this.table = table;
  }
}

/** A table is named only by a string which tables of several binds bear. */
export class AmbiguousTableError extends MultibindError {
  readonly code = "AMBIGUOUS_TABLE";
}
