import type { Socket } from "node:net";
import { CompiledQuery, type QueryResult } from "kysely";
import type { BindKey } from "../../bind-key.ts";
import { type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { numberProperty, stringProperty } from "../error-kind.ts";
import { givenUp } from "../waiting/given-up.ts";
import { PATIENCE } from "../waiting/interruption.ts";
import type { LockWatch } from "../waiting/lock-watch.ts";
import { allOrFirstError } from "../waiting/pipeline.ts";
import { withTimeout } from "../waiting/with-timeout.ts";
import { killQuery, serverOf } from "./mysql-cancel.ts";
import { ChangedRows } from "./mysql-changed-rows.ts";
import { watchMysqlLocks } from "./mysql-lock-watch.ts";
import type { MariadbConfig, MariadbConnection, MariadbModule, MariadbOutcome, MariadbStream } from "./mysql-module.ts";
import { type OpenConnection, openConnection } from "./mysql-open.ts";
import { isLarge, requireFits } from "./mysql-packet.ts";

/** The bit of the server's status that says that a transaction is open. */
const IN_TRANSACTION = 1;
/** Where the numbers of a server's errors begin. */
const FIRST_OF_SERVER = 1_000;
/** Where those of the driver's own errors begin. */
const FIRST_OF_DRIVER = 45_000;
/** How long a server may take to say goodbye, in milliseconds. */
const GOODBYE = 1_000;
/** How long it may take over the settings of a new connection. */
const SETTINGS = 1_000;

/** One connection to MySQL or MariaDB. */
export class MysqlConnection implements PhysicalConnection {
  readonly #connection: MariadbConnection;
  /** Below the driver, which would wait for a server that does not answer. */
  readonly #socket: Socket | undefined;
  /** Makes another connection to the same server. */
  readonly #another: (limit: number) => Promise<OpenConnection>;
  readonly address: string;
  /** Which of the servers at the address it leads to. */
  readonly #server: Promise<string>;
  readonly #bindKey: BindKey;
  /** The server's `max_allowed_packet`, once a large statement has asked for it. */
  #mostBytes: number | undefined;
  #running = 0;
  /** How many statements are not sent yet, since others have to end before. */
  #waiting = 0;
  /** How often what runs was ended; a statement that waits compares it. */
  #cancellations = 0;
  /** Called when nothing is running any more. */
  #whenIdle: (() => void) | undefined;
  /** Until a statement that must be alone is sent, those after it wait. */
  #gate: Promise<void> | undefined;
  readonly #changedRows: ChangedRows | undefined;
  /** Whether rows of a stream may still come. */
  #mayHaveRows = false;
  #broken = false;

  private constructor(
    bindKey: BindKey,
    mariadb: MariadbModule,
    config: MariadbConfig,
    { connection, socket, shared }: OpenConnection,
  ) {
    this.#bindKey = bindKey;
    this.#connection = connection;
    this.#socket = socket;
    this.#changedRows = shared && new ChangedRows(shared);
    this.#another = (limit) => openConnection(mariadb, { ...config, initSql: undefined, connectTimeout: limit }, limit);
    this.address = `${config["host"]}:${config["port"]}`;
    // The server answers it before anything else; callers wait for the promise.
    this.#server = serverOf(connection);
    this.#server.catch(() => {});
    const lost = () => {
      this.#broken = true;
    };
    connection.on("error", lost);
    connection.on("end", lost);
  }

  static async open(bindKey: BindKey, mariadb: MariadbModule, config: MariadbConfig): Promise<MysqlConnection> {
    // The driver's own limit ends with the login, before the settings are made.
    const limit = Number(config["connectTimeout"]);
    const opened = await openConnection(mariadb, config, limit > 0 ? limit + SETTINGS : 0);
    return new MysqlConnection(bindKey, mariadb, config, opened);
  }

  /**
   * Asks a node of a Galera cluster whether it takes part in that. Other servers always are ready.
   *
   * @throws as the driver does when it cannot connect, if it does not; then the connection is closed
   */
  async requireReady(): Promise<void> {
    const shows = async (what: string, value: string): Promise<boolean> => {
      const { rows } = await this.executeQuery<{ readonly Value: string }>(CompiledQuery.raw(`show ${what}`));
      return rows[0]?.Value === value;
    };
    if (!(await shows("variables like 'wsrep_on'", "ON")) || (await shows("status like 'wsrep_ready'", "ON"))) return;
    await this.close();
    const sqlMessage = "The server is a node of a Galera cluster that has lost the others";
    throw Object.assign(new Error(sqlMessage), { sqlMessage, sqlState: "08001" });
  }

  get isBroken(): boolean {
    return this.#broken || !this.#connection.isValid();
  }

  /** Whether the server is MariaDB, which gives back the rows that it inserts and deletes. */
  get isMariadb(): boolean {
    return this.#connection.info?.isMariaDB() ?? false;
  }

  async mostBytes(): Promise<number> {
    if (this.#mostBytes === undefined) {
      // The driver gives a row of each result as an object.
      const [row] = (await this.#run(() => this.#connection.query("select @@max_allowed_packet as most"))) as readonly {
        readonly most: bigint | number;
      }[];
      // A packet has a header too.
      this.#mostBytes = Number(row!.most) - 64;
    }
    return this.#mostBytes;
  }

  async executeQuery<R>(query: EngineQuery): Promise<QueryResult<R>> {
    const { sql, parameters, prepare } = query;
    if (isLarge(sql, parameters)) requireFits(query, this.#mostBytes ?? (await this.mostBytes()), this.#bindKey);
    const send = () =>
      prepare === true || parameters.length > 0
        ? this.#connection.execute(sql, parameters)
        : this.#connection.query(sql);
    if (query.countsChanges === true && this.#changedRows !== undefined)
      return this.#update<R>(send, this.#changedRows);
    return resultOf<R>(await this.#run(send));
  }

  /** Runs an update with nothing else under way before it, so that the first answer is its own. */
  async #update<R>(send: () => Promise<unknown>, changedRows: ChangedRows): Promise<QueryResult<R>> {
    const { opened, open } = this.#closeGate();
    let outcome: unknown;
    let numChangedRows: bigint | undefined;
    try {
      await this.#turn(async () => {
        await opened;
        if (this.#running > 0) await this.#idle();
        if (this.#mayHaveRows) await this.#endOfRows();
      });
      const stop = changedRows.listen();
      try {
        const running = this.#runNow(send);
        open();
        outcome = await running;
      } finally {
        numChangedRows = stop((outcome as Partial<MariadbOutcome> | undefined)?.affectedRows);
      }
    } finally {
      open();
    }
    const result = resultOf<R>(outcome);
    return numChangedRows === undefined ? result : { ...result, numChangedRows };
  }

  /**
   * Lets no statement be sent until the gate is opened again.
   *
   * @returns the opening of the gate that was closed before, if one was, and a function that opens this one
   */
  #closeGate(): { readonly opened: Promise<void> | undefined; readonly open: () => void } {
    const opened = this.#gate;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#gate = promise;
    const open = () => {
      if (this.#gate === promise) this.#gate = undefined;
      resolve();
    };
    return { opened, open };
  }

  /**
   * Waits until a statement can be sent.
   *
   * @throws if it was ended before that
   */
  async #turn(wait: () => Promise<void>): Promise<void> {
    const before = this.#cancellations;
    this.#waiting++;
    try {
      await wait();
    } finally {
      this.#waiting--;
    }
    if (this.#cancellations !== before) throw new Error("The statement was ended before it was sent.");
  }

  #idle(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#whenIdle = resolve;
    return promise;
  }

  /** Waits until the last row of a stream has come. */
  async #endOfRows(): Promise<void> {
    this.#mayHaveRows = false;
    await this.#runNow(() => this.#connection.ping());
  }

  async executeMany<R>(
    query: EngineQuery<R>,
    parameterSets: readonly (readonly unknown[])[],
  ): Promise<QueryResult<R>[]> {
    // Known before the first is sent, so that they go in their order, and before any if one cannot.
    if (parameterSets.some((parameters) => isLarge(query.sql, parameters))) {
      const most = await this.mostBytes();
      for (const parameters of parameterSets) requireFits(withParameters(query, parameters), most, this.#bindKey);
    }
    // The driver sends each without waiting for the answers, which come in order.
    const prepared = { ...query, prepare: true };
    return allOrFirstError(
      parameterSets.map((parameters) => this.executeQuery<R>(withParameters(prepared, parameters))),
    );
  }

  async *streamQuery<R>(
    query: EngineQuery,
    chunkSize: number,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): AsyncIterableIterator<QueryResult<R>> {
    const { sql, parameters, keepConnection } = query;
    if (isLarge(sql, parameters)) requireFits(query, await this.mostBytes(), this.#bindKey);
    const gate = this.#gate;
    if (gate !== undefined) await this.#turn(() => gate);
    this.#mayHaveRows = true;
    const stream = this.#connection.queryStream(sql, parameters);
    // After the last read no caller receives an error.
    stream.on("error", () => {});
    const portions = portionsOf<R>(stream, chunkSize);
    let isLeft = true;
    try {
      for (;;) {
        // Results that no caller asked for are not awaited.
        const portion = await this.#run(() => portions.next()).catch((error: unknown) => {
          isLeft = false;
          throw error;
        });
        if (portion.done === true) break;
        yield { rows: portion.value };
      }
      isLeft = false;
    } finally {
      if (isLeft) {
        await portions.return();
        this.#leave(stream, keepConnection === true || signal?.aborted === true);
      }
    }
  }

  #leave(stream: MariadbStream, keepConnection: boolean): void {
    // A new connection is cheaper than the rest of the result.
    if (!keepConnection && this.#socket !== undefined) this.destroy();
    else {
      // The rest of the result is read and forgotten; what comes next waits for that.
      stream.close();
      this.#endOfRows().catch(() => {});
    }
  }

  get inTransaction(): boolean | undefined {
    const status = this.#connection.info?.status ?? undefined;
    return status === undefined ? undefined : (status & IN_TRANSACTION) !== 0;
  }

  ping(timeout: number): Promise<void> {
    return this.#connection.ping(timeout);
  }

  get isBusy(): boolean {
    return this.#running > 0 || this.#waiting > 0;
  }

  async cancel(): Promise<void> {
    this.#cancellations++;
    if (this.#running === 0) return;
    await killQuery(() => this.#another(PATIENCE), this.#connection.threadId!, await this.#server, PATIENCE);
    // Where the statement had ended by itself, this is what the server takes for interrupted, and not what comes next.
    await this.#connection.query("do 0").catch(() => {});
  }

  get serverProcess(): number | undefined {
    return this.#connection.threadId ?? undefined;
  }

  async watchLocks(): Promise<LockWatch> {
    return watchMysqlLocks(() => this.#another(PATIENCE), this.#connection.threadId!, await this.#server);
  }

  get received(): number | undefined {
    return this.#socket?.bytesRead;
  }

  async reach(limit: number): Promise<void> {
    try {
      const { connection, socket } = await this.#another(limit);
      void withTimeout(connection.end(), GOODBYE).catch(() => socket?.destroy());
    } catch (error) {
      const number = numberProperty(error, "errno") ?? 0;
      // Below are the system's numbers, above the driver's own.
      if (number < FIRST_OF_SERVER || number >= FIRST_OF_DRIVER) throw error;
    }
  }

  async close(): Promise<void> {
    if (this.isBroken || this.isBusy) return this.destroy();
    this.#broken = true;
    await withTimeout(this.#connection.end(), GOODBYE).catch(() => this.destroy());
  }

  destroy(reason = givenUp("It was to end at once")): void {
    this.#broken = true;
    if (this.#socket === undefined) this.#connection.destroy();
    else this.#socket.destroy(reason);
  }

  #run<T>(statement: () => Promise<T>): Promise<T> {
    const gate = this.#gate;
    return gate === undefined ? this.#runNow(statement) : this.#turn(() => gate).then(() => this.#runNow(statement));
  }

  async #runNow<T>(statement: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await statement();
    } catch (error) {
      // A node of a cluster that has lost the others keeps the connection, and does nothing for it.
      if (stringProperty(error, "sqlState")?.startsWith("08") === true) this.#broken = true;
      throw error;
    } finally {
      this.#running--;
      if (this.#running === 0) this.#whenIdle?.();
    }
  }
}

function resultOf<R>(outcome: unknown): QueryResult<R> {
  // The caller knows what shape its statement gives.
  if (Array.isArray(outcome)) return { rows: outcome as R[] };
  const { affectedRows, insertId } = outcome as MariadbOutcome;
  const result = { rows: [], numAffectedRows: BigInt(affectedRows ?? 0) };
  return insertId === undefined || insertId === 0n || insertId === 0
    ? result
    : { ...result, insertId: BigInt(insertId) };
}

/** The rows of a stream in portions of a size. */
async function* portionsOf<R>(stream: MariadbStream, size: number): AsyncGenerator<R[], void, void> {
  let rows: R[] = [];
  for await (const row of stream) {
    // The caller knows what shape its statement gives.
    rows.push(row as R);
    if (rows.length < size) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
