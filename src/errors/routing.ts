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

/** A table is named only by a string which tables of several binds bear. */
export class AmbiguousTableError extends MultibindError {
  readonly code = "AMBIGUOUS_TABLE";
}
