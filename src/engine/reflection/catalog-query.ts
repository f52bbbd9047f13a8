import type { RawBuilder } from "kysely";
import type { Connection } from "../connection.ts";

/** Runs a statement about the database's own catalogue and gives its rows. */
export type RunQuery = <R>(query: RawBuilder<R>) => Promise<readonly R[]>;

/** Runs catalogue queries on a connection. */
export function catalogOf(connection: Connection): RunQuery {
  return async <R>(query: RawBuilder<R>) => {
    const { sql, parameters, query: node, queryId } = connection.engine.compileQuery(query.toOperationNode());
    const { rows } = await connection.execute<R>({ sql, parameters, query: node, queryId });
    return rows;
  };
}
