import type { QueryId } from "kysely";
import type { CompiledStatement } from "./compile-statement.ts";
import type { CompileTarget } from "./compile-target.ts";

/** A query that was compiled here: its values are converted already, and its rows are read as the statement says. */
export interface KnownQuery {
  /** The engine that it was compiled for, and runs on. */
  readonly engine: CompileTarget;
  readonly compiled: CompiledStatement;
}

const queries = new WeakMap<QueryId, KnownQuery>();

/** Remembers a compiled query for as long as the application keeps it: it may be run in another place than it was compiled in. */
export function rememberQuery(queryId: QueryId, engine: CompileTarget, compiled: CompiledStatement): void {
  queries.set(queryId, { engine, compiled });
}

/** The statement of a query that was compiled here; undefined for others. */
export function knownQuery(queryId: QueryId): KnownQuery | undefined {
  return queries.get(queryId);
}
