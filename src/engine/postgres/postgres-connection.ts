import { CompiledQuery, type QueryResult, type TransactionSettings } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { type AnsweredResult, type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { stringProperty } from "../error-kind.ts";
import { InexactJson } from "../values/codec.ts";
import type { LockWatch } from "../waiting/lock-watch.ts";
import { allOrFirstError } from "../waiting/pipeline.ts";
import { unlessLate } from "../waiting/unless-late.ts";
import { closeStatement, type Surrounding, surround } from "./postgres-batch.ts";
import { sendCancelRequest } from "./postgres-cancel.ts";
import { watchPostgresLocks } from "./postgres-lock-watch.ts";
import { type Loss, lossOf, lostStatement } from "./postgres-lost-statements.ts";
import type { PgClient, PgClientConfig, PgModule, PgQueryClass, PgResult } from "./postgres-module.ts";
import { requireForPooler } from "./postgres-options.ts";
import type { Pooling } from "./postgres-pooling.ts";
import type { PostgresSettings } from "./postgres-settings.ts";
import { keepShapesOf } from "./postgres-shapes.ts";
import { StatementNames } from "./postgres-statement-names.ts";
import { ROLE_QUERY, requireTarget, type ServerRole } from "./postgres-target.ts";
import { requireExactJson } from "./postgres-wire-types.ts";

/** How long a server may take to say goodbye, in milliseconds. */
const GOODBYE = 1_000;
/** For how long a request to end a statement may be under way after the statement was ended so. */
const ANOTHERS_CANCEL = 100;
/** The SQLSTATE of a statement that was ended so. */
const CANCELED = "57014";
const COUNTED = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** What the connections of one engine share. */
export interface PostgresEngine {
  readonly settings: PostgresSettings;
  readonly pooling: Pooling;
}

/** Text that returns rows, or may: all that is read depends on the settings. */
const GIVES_ROWS = startingWith("select|with|values|table|insert|update|delete|merge");
const BEGINS = startingWith("begin|start");
const ENDS = startingWith("commit|rollback|end|abort");

function startingWith(words: string): RegExp {
  return new RegExp(`^(?:[\\s(]|--[^\\n]*\\n|/\\*[^]*?\\*/)*(?:${words})\\b`, "i");
}

/** One connection to PostgreSQL. */
export class PostgresConnection implements PhysicalConnection {
  readonly #client: PgClient;
  /** Makes another client for the same server. */
  readonly #another: () => PgClient;
  readonly #Query: PgQueryClass | undefined;
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
      await unlessLate(connection.#prepare(config, target), left);
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
    this.#running++;
    try {
      const sent =
        pooling.isBetween && this.#isIdle ? this.#sendAlone(text, values, name) : this.#send(text, values, name);
      return answered(await sent, query);
    } catch (error) {
      this.#learnFrom(error);
      const loss = name === undefined ? undefined : this.#lossOf(name, text, error);
      if (loss === undefined) {
        await this.#endForeignTransaction();
        throw error;
      }
      if (!this.#isIdle) throw lostStatement(loss, pooling.bindKey, error, text);
      return answered(await (pooling.isBetween ? this.#sendAlone(text, values) : this.#send(text, values)), query);
    } finally {
      this.#running--;
    }
  }

  /** Begins a transaction. */
  async begin(settings: TransactionSettings): Promise<void> {
    const { local } = this.#settings;
    const text = this.#pooling.isBetween
      ? `${this.#settings.beginAlone(settings)}; ${local}`
      : this.#settings.begin(settings);
    await this.#sent(text);
  }

  /** Sends a statement as it is. */
  async #sent(text: string): Promise<void> {
    this.#running++;
    try {
      await this.#send(text, []);
    } catch (error) {
      this.#learnFrom(error);
      throw error;
    } finally {
      this.#running--;
    }
  }

  /** Sends a statement that is not part of a transaction, together with the settings that the connection does not keep. */
  async #sendAlone(text: string, values: unknown[], name?: string): Promise<PgOutcome> {
    const settings = this.#settings;
    if (ENDS.test(text)) return this.#send(text, values);
    if (settings.needTransaction) return this.#sendInTransaction(text, values, name);
    if (!GIVES_ROWS.test(text)) return this.#send(text, values);
    if (values.length === 0 && name === undefined) return this.#send(`${settings.local}; ${text}`, values);
    if (!this.#sendsTogether) return this.#sendInTransaction(text, values, name);
    const [, outcome] = many(await this.#send(text, values, name, { before: [settings.local], after: [] }));
    return outcome!;
  }

  async #sendInTransaction(text: string, values: unknown[], name: string | undefined): Promise<PgOutcome> {
    if (BEGINS.test(text)) throw this.#pooling.beginRefusal();
    const before = [this.#settings.beginAlone(), this.#settings.local];
    try {
      if (this.#sendsTogether) {
        return many(await this.#send(text, values, name, { before, after: ["commit"] }))[before.length]!;
      }
      await this.#send(before.join("; "), []);
      const outcome = await this.#send(text, values, name);
      await this.#send("commit", []);
      return outcome;
    } catch (error) {
      await this.#send("rollback", []).catch(() => this.destroy());
      throw error;
    }
  }

  /** Whether the driver can send several statements without waiting in between. */
  get #sendsTogether(): boolean {
    return this.#Query !== undefined && this.#client.connection?.parse !== undefined;
  }

  #send(text: string, values: unknown[], name?: string, surrounding?: Surrounding): Promise<PgOutcome> {
    const Query = this.#Query;
    if (Query === undefined) return this.#client.query(name === undefined ? { text, values } : { name, text, values });
    // Given as an object, the statement would be copied with all its descriptors, which takes longer than to make it.
    return new Promise((resolve, reject) => {
      const query = new Query(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
      if (name !== undefined) query.name = name;
      if (surrounding !== undefined) surround(query, surrounding);
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
      // In a transaction that has failed there is no cursor any more. What is sent next waits for the answer.
      if (!this.#broken) this.#client.query({ text: `close ${cursor}` }).catch(() => {});
    }
  }

  get inTransaction(): boolean | undefined {
    const status = this.#client.getTransactionStatus?.() ?? undefined;
    return status === undefined ? undefined : status === "T" || status === "E";
  }

  async ping(timeout: number): Promise<void> {
    try {
      await unlessLate(this.#sent("select 1"), timeout);
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
      await unlessLate(other.connect(), limit);
    } catch (error) {
      // Only a server says how severe an error is.
      if (stringProperty(error, "severity") === undefined) throw error;
    } finally {
      void unlessLate(other.end(), GOODBYE).catch(() => other.connection?.stream?.destroy());
    }
  }

  async close(): Promise<void> {
    if (this.#broken || this.isBusy) return this.destroy();
    this.#broken = true;
    await unlessLate(this.#client.end(), GOODBYE).catch(() => this.destroy());
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
   * Ends a transaction that a statement outside of one has left. Pgpool-II begins one itself when it sees a table for the first
   * time, and leaves it failed if the statement fails; it says so in a message after the error.
   */
  async #endForeignTransaction(): Promise<void> {
    if (!this.#isIdle || this.#client.readyForQuery !== false) return;
    await this.#client.query({ text: "" }).catch(() => {});
    if (this.inTransaction) await this.#client.query({ text: "rollback" }).catch(() => this.destroy());
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
    else if (connection?.close !== undefined) this.#client.query(closeStatement(name));
    return loss;
  }
}

type PgOutcome = PgResult | readonly PgResult[];

function many(outcome: PgOutcome): readonly PgResult[] {
  // Several statements have several results.
  return outcome as readonly PgResult[];
}

function answered<R>(outcome: PgOutcome, { plainNumbers }: EngineQuery): AnsweredResult<R> {
  // Of several statements in one text, the last one's.
  const { command, rowCount, rows } = Array.isArray(outcome) ? (outcome as PgResult[]).at(-1)! : (outcome as PgResult);
  // The caller knows what shape its statement gives.
  const typed = rows as R[];
  if (InexactJson.wasMet && plainNumbers !== true) requireExactJson(rows);
  return COUNTED.has(command) ? { rows: typed, numAffectedRows: BigInt(rowCount ?? 0) } : { rows: typed, command };
}
