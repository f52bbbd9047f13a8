import { CompiledQuery, type QueryResult } from "kysely";
import { type AnsweredResult, type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { stringProperty } from "../error-kind.ts";
import { allOrFirstError } from "../waiting/pipeline.ts";
import { unlessLate } from "../waiting/unless-late.ts";
import { sendCancelRequest } from "./postgres-cancel.ts";
import type { PgClient, PgClientConfig, PgModule, PgQueryClass, PgResult } from "./postgres-module.ts";
import { keepShapesOf } from "./postgres-shapes.ts";
import { ROLE_QUERY, requireTarget, type ServerRole } from "./postgres-target.ts";

/** How many statements a connection keeps prepared on its server. */
const MOST_PREPARED = 256;
/** How long a server may take to say goodbye, in milliseconds. */
const GOODBYE = 1_000;
/** For how long a request to end a statement may be under way after the statement was ended so. */
const ANOTHERS_CANCEL = 100;
/** The SQLSTATE of a statement that was ended so. */
const CANCELED = "57014";
const COUNTED = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** Applies the settings of a connection, if the server is of the kind that is wanted. */
async function prepare(
  client: PgClient,
  { Query }: PgModule,
  settings: readonly string[],
  target: string | undefined,
): Promise<void> {
  if (target !== undefined) {
    const { rows } = await client.query({ text: ROLE_QUERY });
    // The query gives one row with these columns.
    requireTarget(target, rows[0] as ServerRole);
  }
  await client.query({ text: settings.join("; ") });
  if (Query !== undefined) await keepShapesOf(Query, client);
}

/** One connection to PostgreSQL. */
export class PostgresConnection implements PhysicalConnection {
  readonly #client: PgClient;
  readonly #Query: PgQueryClass | undefined;
  readonly #names = new Map<string, string>();
  #named = 0;
  #cursors = 0;
  #running = 0;
  #broken = false;
  /** Called when a statement was ended because the server was asked for that. */
  #canceled: (() => void) | undefined;

  private constructor(client: PgClient, Query: PgQueryClass | undefined) {
    this.#client = client;
    this.#Query = Query;
    const lost = () => {
      this.#broken = true;
    };
    client.on("error", lost);
    client.on("end", lost);
  }

  /**
   * Connects and applies the settings.
   *
   * @param target the kind of server that is wanted, where not any will do
   */
  static async open(
    pg: PgModule,
    config: PgClientConfig,
    settings: readonly string[],
    target?: string,
  ): Promise<PostgresConnection> {
    const client = new pg.Client(config);
    const connection = new PostgresConnection(client, pg.Query);
    await client.connect();
    try {
      // The driver's own limit has ended with the login.
      await unlessLate(prepare(client, pg, settings, target), Number(config["connectionTimeoutMillis"]));
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  get isBroken(): boolean {
    return this.#broken;
  }

  async executeQuery<R>(query: EngineQuery): Promise<AnsweredResult<R>> {
    const { sql: text, parameters } = query;
    const values = parameters as unknown[];
    const name = query.prepare === true ? this.#nameOf(text) : undefined;
    this.#running++;
    try {
      const outcome = await this.#send(text, values, name);
      // Of several statements in one text, the last one's.
      const { command, rowCount, rows } = Array.isArray(outcome) ? (outcome as PgResult[]).at(-1)! : outcome;
      // The caller knows what shape its statement gives.
      const typed = rows as R[];
      return COUNTED.has(command) ? { rows: typed, numAffectedRows: BigInt(rowCount ?? 0) } : { rows: typed, command };
    } catch (error) {
      this.#learnFrom(error, text);
      throw error;
    } finally {
      this.#running--;
    }
  }

  #send(text: string, values: unknown[], name: string | undefined): Promise<PgResult> {
    const Query = this.#Query;
    if (Query === undefined) return this.#client.query(name === undefined ? { text, values } : { name, text, values });
    // Given as an object, the statement would be copied with all its descriptors, which takes longer than to make it.
    return new Promise((resolve, reject) => {
      const query = new Query(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
      if (name !== undefined) query.name = name;
      this.#client.query(query);
    });
  }

  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]> {
    const prepared = { ...query, prepare: true };
    return allOrFirstError(
      parameterSets.map((parameters) => this.executeQuery<R>(withParameters(prepared, parameters))),
    );
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const { sql, parameters } = query;
    const cursor = `multibind_${++this.#cursors}`;
    await this.executeQuery(CompiledQuery.raw(`declare ${cursor} no scroll cursor for ${sql}`, [...parameters]));
    try {
      for (;;) {
        const portion = await this.executeQuery<R>(CompiledQuery.raw(`fetch forward ${chunkSize} from ${cursor}`));
        if (portion.rows.length > 0) yield portion;
        if (portion.rows.length < chunkSize) break;
      }
    } finally {
      // In a transaction that has failed there is no cursor any more.
      if (!this.#broken) await this.#client.query({ text: `close ${cursor}` }).catch(() => {});
    }
  }

  get inTransaction(): boolean | undefined {
    const status = this.#client.getTransactionStatus?.() ?? undefined;
    return status === undefined ? undefined : status === "T" || status === "E";
  }

  async ping(timeout: number): Promise<void> {
    try {
      await unlessLate(this.executeQuery(CompiledQuery.raw("select 1")), timeout);
    } catch (error) {
      this.destroy();
      throw error;
    }
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  async cancel(): Promise<void> {
    const { host, port, processID, secretKey } = this.#client;
    if (!this.isBusy) return;
    if (typeof processID !== "number" || typeof secretKey !== "number") return this.destroy();
    const { promise, resolve } = Promise.withResolvers<void>();
    // The server may have been told by others to end it, and be told by us a moment later.
    this.#canceled = () => setTimeout(resolve, ANOTHERS_CANCEL);
    try {
      await sendCancelRequest({ host, port }, processID, secretKey, promise);
    } finally {
      this.#canceled = undefined;
    }
  }

  async close(): Promise<void> {
    if (this.#broken) return this.destroy();
    this.#broken = true;
    await unlessLate(this.#client.end(), GOODBYE).catch(() => this.destroy());
  }

  destroy(): void {
    this.#broken = true;
    this.#client.connection?.stream?.destroy();
  }

  /** Sees from an error what can be used no more: the connection, or a statement whose columns have changed their types. */
  #learnFrom(error: unknown, sql: string): void {
    const severity = stringProperty(error, "severity");
    if (severity === "FATAL" || severity === "PANIC") this.#broken = true;
    if (stringProperty(error, "code") === CANCELED) this.#canceled?.();
    // "cached plan must not change result type": under another name it is prepared anew.
    if (stringProperty(error, "code") === "0A000") this.#names.delete(sql);
  }

  /** The name under which a statement is prepared. The server keeps it for good, so there is a limit to their number. */
  #nameOf(sql: string): string | undefined {
    const name = this.#names.get(sql);
    if (name !== undefined || this.#names.size >= MOST_PREPARED) return name;
    const given = `multibind_${++this.#named}`;
    this.#names.set(sql, given);
    return given;
  }
}
