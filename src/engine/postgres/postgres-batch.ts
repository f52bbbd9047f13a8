import type { PgOwnQuery, PgProtocol } from "./postgres-module.ts";

/** The statements that are sent before and after another. They have no parameters and return no rows. */
export interface Surrounding {
  readonly before: readonly string[];
  readonly after: readonly string[];
}

/**
 * Sends a query together with others, without waiting in between: the server runs all of them, or stops at the first that
 * fails. The query then has a result for each.
 */
export function surround(query: PgOwnQuery, { before, after }: Surrounding): void {
  const submit = query.submit;
  // Only these messages can be sent without waiting.
  query.queryMode = "extended";
  query.submit = (connection) => {
    for (const text of before) send(connection, text);
    return submit.call(query, withSync(connection, after));
  };
}

/** The connection as the query sees it: the end of the query's own messages is not the end of all. */
function withSync(connection: PgProtocol, after: readonly string[]): PgProtocol {
  const sync = () => {
    for (const text of after) send(connection, text);
    connection.sync();
  };
  return Object.create(connection, { sync: { value: sync } }) as PgProtocol;
}

function send(connection: PgProtocol, text: string): void {
  connection.parse({ text, name: "", types: [] });
  connection.bind({});
  connection.execute({});
}

/** Makes the query that drops a prepared statement. A server that does not have it does nothing. */
export function closeStatement(name: string): PgOwnQuery {
  return {
    submit(connection) {
      connection.close({ type: "S", name });
      connection.sync();
      return null;
    },
    handleReadyForQuery() {},
    handleError() {},
  };
}
