import type { QueryId } from "kysely";
import type { Engine } from "../engine.ts";
import type { CompiledStatement } from "./compile-statement.ts";

/** A query that was compiled here: its values are converted already, and its rows are read as the statement says. */
export interface KnownQuery {
  readonly engine: Engine;
  readonly compiled: CompiledStatement;
}

const queries = new WeakMap<QueryId, KnownQuery>();

/** Remembers a compiled query for as long as the application keeps it: it may be run in another place than it was compiled in. */
export function rememberQuery(queryId: QueryId, engine: Engine, compiled: CompiledStatement): void {
  queries.set(queryId, { engine, compiled });
}

/** The statement of a query that was compiled here; undefined for others. */
export function knownQuery(queryId: QueryId): KnownQuery | undefined {
  return queries.get(queryId);
}
