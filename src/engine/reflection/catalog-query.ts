import type { CompiledQuery, OperationNode, QueryResult, RawBuilder } from "kysely";

/** Runs a statement about the database's own catalogue and returns its rows. */
export type RunQuery = <R>(query: RawBuilder<R>) => Promise<readonly R[]>;

/** A connection of an engine that can be asked about the catalogue. */
export interface CatalogConnection {
  readonly engine: { compileQuery(node: OperationNode): CompiledQuery };
  execute<R>(query: CompiledQuery<R>): Promise<QueryResult<R>>;
}

/** Runs catalogue queries on a connection. */
export function catalogOf(connection: CatalogConnection): RunQuery {
  return async <R>(query: RawBuilder<R>) => {
    const { sql, parameters, query: node, queryId } = connection.engine.compileQuery(query.toOperationNode());
    const { rows } = await connection.execute<R>({ sql, parameters, query: node, queryId });
    return rows;
  };
}
