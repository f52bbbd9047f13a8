import { CompiledQuery, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { type AnsweredResult, type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { stringProperty } from "../error-kind.ts";
import { transactionEffect } from "../transaction-text.ts";
import type { LockWatch } from "../waiting/lock-watch.ts";
import { allOrFirstError } from "../waiting/pipeline.ts";
import { withTimeout } from "../waiting/with-timeout.ts";
import { StatementsAlone } from "./postgres-alone.ts";
import { closeStatement } from "./postgres-batch.ts";
import { sendCancelRequest } from "./postgres-cancel.ts";
import { watchPostgresLocks } from "./postgres-lock-watch.ts";
import { type Loss, lossOf, lostStatement } from "./postgres-lost-statements.ts";
import type { PgClient, PgClientConfig, PgModule, PgQueryClass } from "./postgres-module.ts";
import { requireForPooler } from "./postgres-options.ts";
import type { Pooling } from "./postgres-pooling.ts";
import type { PostgresSettings } from "./postgres-settings.ts";
import { keepShapesOf } from "./postgres-shapes.ts";
import { answered, PostgresSender } from "./postgres-statement.ts";
import { StatementNames } from "./postgres-statement-names.ts";
import { ROLE_QUERY, requireTarget, type ServerRole } from "./postgres-target.ts";
import { postgresTransactionText } from "./postgres-transaction-text.ts";

/** How long a server may take to say goodbye, in milliseconds. */
const GOODBYE = 1_000;
/** For how long a request to end a statement may be under way after the statement was ended so. */
const ANOTHERS_CANCEL = 100;
/** The SQLSTATE of a statement that was ended so. */
const CANCELED = "57014";

/** State that the connections of one engine share. */
export interface PostgresEngine {
  readonly settings: PostgresSettings;
  readonly pooling: Pooling;
}

/** One connection to PostgreSQL. */
export class PostgresConnection implements PhysicalConnection {
  readonly #client: PgClient;
  /** Makes another client for the same server. */
  readonly #another: () => PgClient;
  readonly #Query: PgQueryClass | undefined;
  readonly #sender: PostgresSender;
  readonly #alone: StatementsAlone;
  readonly #settings: PostgresSettings;
  readonly #pooling: Pooling;
  readonly #names = new StatementNames();
  #cursors = 0;
  #running = 0;
  #broken = false;
  /** Called when a statement was ended because the server was asked for that. */
  #canceled: (() => void) | undefined;

  private constructor(another: () => PgClient, Query: PgQueryClass | undefined, { settings, pooling }: PostgresEngine) {
    const client = another();
    this.#client = client;
    this.#another = another;
    this.#Query = Query;
    this.#sender = new PostgresSender(client, Query);
    this.#alone = new StatementsAlone(this.#sender, settings, pooling, () => this.destroy());
    this.#settings = settings;
    this.#pooling = pooling;
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
    { target, ...engine }: PostgresEngine & { readonly target?: string | undefined },
  ): Promise<PostgresConnection> {
    const connection = new PostgresConnection(() => new pg.Client(config), pg.Query, engine);
    const client = connection.#client;
    const limit = Number(config["connectionTimeoutMillis"]);
    const start = performance.now();
    await client.connect();
    try {
      // The driver's own limit has ended with the login.
      const left = limit > 0 ? Math.max(limit - (performance.now() - start), 1) : 0;
      await withTimeout(connection.#prepare(config, target), left);
    } catch (error) {
      await connection.close();
      throw error;
    }
    return connection;
  }

  /** Applies the settings, if the server is of the kind that is wanted and no pooler is between. */
  async #prepare(config: PgClientConfig, target: string | undefined): Promise<void> {
    const client = this.#client;
    if (target !== undefined) {
      const { rows } = await client.query({ text: ROLE_QUERY });
      // The query gives one row with these columns.
      requireTarget(target, rows[0] as ServerRole);
    }
    if (!this.#pooling.isBetween) {
      const { rows } = await client.query({ text: this.#settings.session(client.processID ?? 0) });
      if (rows.length === 0) this.#pooling.otherProcess();
    }
    if (this.#pooling.isBetween) requireForPooler(client, config, bindLabel(this.#pooling.bindKey));
    if (this.#Query !== undefined) await keepShapesOf(this.#Query, client);
  }

  get isBroken(): boolean {
    return this.#broken;
  }

  async executeQuery<R>(query: EngineQuery): Promise<AnsweredResult<R>> {
    const { sql: text, parameters } = query;
    const values = parameters as unknown[];
    const pooling = this.#pooling;
    const name = query.prepare === true && pooling.namesStatements ? this.#names.of(text) : undefined;
    const isIdle = this.#isIdle;
    this.#running++;
    try {
      const sent =
        pooling.isBetween && isIdle ? this.#alone.send(text, values, name) : this.#sender.send(text, values, name);
      const answer = answered<R>(await sent, query);
      if (isIdle && this.inTransaction) await this.#commitForeign(text);
      return answer;
    } catch (error) {
      this.#learnFrom(error);
      const loss = name === undefined ? undefined : this.#lossOf(name, text, error);
      if (loss === undefined) {
        if (isIdle) await this.#rollbackForeign();
        throw error;
      }
      if (!isIdle) throw lostStatement(loss, pooling.bindKey, error, text);
      const again = pooling.isBetween ? this.#alone.send(text, values) : this.#sender.send(text, values);
      return answered(await again, query);
    } finally {
      this.#running--;
    }
  }

  /** Begins a transaction. */
  async begin(transaction: TransactionSettings): Promise<void> {
    const settings = this.#settings;
    const statements = this.#pooling.isBetween ? settings.beginAlone(transaction) : settings.begin(transaction);
    await this.#sent(statements.join("; "));
  }

  /** Sends a statement as it is. */
  async #sent(text: string): Promise<void> {
    this.#running++;
    try {
      await this.#sender.send(text, []);
    } catch (error) {
      this.#learnFrom(error);
      throw error;
    } finally {
      this.#running--;
    }
  }

  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]> {
    const prepared = { ...query, prepare: true };
    return allOrFirstError(
      parameterSets.map((parameters) => this.executeQuery<R>(withParameters(prepared, parameters))),
    );
  }

  async *streamQuery<R>(
    query: CompiledQuery,
    chunkSize: number,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    const { sql, parameters } = query;
    const cursor = `multibind_${++this.#cursors}`;
    await this.executeQuery(CompiledQuery.raw(`declare ${cursor} no scroll cursor for ${sql}`, [...parameters]));
    try {
      for (;;) {
        // The request to end it may reach the server between two statements, where it ends nothing.
        signal?.throwIfAborted();
        const portion = await this.executeQuery<R>(CompiledQuery.raw(`fetch forward ${chunkSize} from ${cursor}`));
        if (portion.rows.length > 0) yield portion;
        if (portion.rows.length < chunkSize) break;
      }
    } finally {
      // A failed transaction has no cursor any more. The next statement waits for the answer.
      if (!this.#broken) this.#sender.send(`close ${cursor}`, []).catch(() => {});
    }
  }

  get inTransaction(): boolean | undefined {
    const status = this.#client.getTransactionStatus?.() ?? undefined;
    return status === undefined ? undefined : status === "T" || status === "E";
  }

  async ping(timeout: number): Promise<void> {
    try {
      await withTimeout(this.#sent("select 1"), timeout);
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

  get serverProcess(): number | undefined {
    return this.#client.processID ?? undefined;
  }

  watchLocks(): Promise<LockWatch> {
    return watchPostgresLocks(this.#another(), this.serverProcess);
  }

  get received(): number | undefined {
    return this.#client.connection?.stream?.bytesRead;
  }

  get address(): string {
    return `${this.#client.host}:${this.#client.port}`;
  }

  async reach(limit: number): Promise<void> {
    const other = this.#another();
    other.on("error", () => {});
    try {
      await withTimeout(other.connect(), limit);
    } catch (error) {
      // Only a server says how severe an error is.
      if (stringProperty(error, "severity") === undefined) throw error;
    } finally {
      void withTimeout(other.end(), GOODBYE).catch(() => other.connection?.stream?.destroy());
    }
  }

  async close(): Promise<void> {
    if (this.#broken || this.isBusy) return this.destroy();
    this.#broken = true;
    await withTimeout(this.#client.end(), GOODBYE).catch(() => this.destroy());
  }

  destroy(reason?: Error): void {
    this.#broken = true;
    this.#client.connection?.stream?.destroy(reason);
  }

  /** Whether the server has said that no transaction is open. */
  get #isIdle(): boolean {
    return this.#client.getTransactionStatus?.() === "I";
  }

  /**
   * Commits a transaction that a statement has left which neither was in one nor begins one: Pgpool-II may begin one itself
   * for a statement that writes, and leave its end to the client.
   */
  async #commitForeign(text: string): Promise<void> {
    if (transactionEffect(text, postgresTransactionText) === "none") await this.#sender.send("commit", []);
  }

  /** Rolls back such a transaction after an error. The server may name its state only in a later message. */
  async #rollbackForeign(): Promise<void> {
    if (this.#client.readyForQuery === false) await this.#sender.send("", []).catch(() => {});
    if (this.inTransaction) await this.#sender.send("rollback", []).catch(() => this.destroy());
  }

  /** Notes from an error that the connection is lost, or that the statement was ended on request. */
  #learnFrom(error: unknown): void {
    const severity = stringProperty(error, "severity");
    if (severity === "FATAL" || severity === "PANIC") this.#broken = true;
    if (stringProperty(error, "code") === CANCELED) this.#canceled?.();
  }

  /** Whether an error means that a prepared statement is lost; if so, it is prepared anew under another name. */
  #lossOf(name: string, text: string, error: unknown): Loss | undefined {
    const { connection } = this.#client;
    const loss = lossOf(error, connection?.parsedStatements?.[name] !== undefined);
    if (loss === undefined) return undefined;
    this.#names.forget(text);
    if (loss === "unknown") this.#pooling.unknownName();
    else if (connection?.close !== undefined) this.#sender.submit(closeStatement(name));
    return loss;
  }
}
