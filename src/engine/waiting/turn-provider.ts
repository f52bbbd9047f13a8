import type { ConnectionProvider, DatabaseConnection } from "kysely";

/** The options of a request for a connection. */
type ProvideOptions = Parameters<ConnectionProvider["provideConnection"]>[1];

/**
 * Provides the one connection of a transaction to one statement after the other. An abort ends the wait for a turn: Kysely's
 * own provider goes on waiting for the statements before.
 */
export class TurnProvider implements ConnectionProvider {
  readonly #connections: ConnectionProvider;

  constructor(connections: ConnectionProvider) {
    this.#connections = connections;
  }

  /** @throws the signal's reason, if it is aborted before the connection is free */
  provideConnection<T>(consumer: (connection: DatabaseConnection) => Promise<T>, options?: ProvideOptions): Promise<T> {
    const signal = options?.signal;
    if (signal === undefined) return this.#connections.provideConnection(consumer, options);
    if (signal.aborted) return Promise.reject(signal.reason);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const abort = () => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    const use = (connection: DatabaseConnection): Promise<T> => {
      signal.removeEventListener("abort", abort);
      return signal.aborted ? promise : consumer(connection);
    };
    this.#connections.provideConnection(use, options).then(resolve, reject);
    return promise;
  }
}
