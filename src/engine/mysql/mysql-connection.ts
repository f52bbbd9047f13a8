import { connect, type Socket } from "node:net";
import { CompiledQuery, type QueryResult } from "kysely";
import { type EngineQuery, type PhysicalConnection, withParameters } from "../driver.ts";
import { stringProperty } from "../error-kind.ts";
import { allOrFirstError } from "../waiting/pipeline.ts";
import { unlessLate } from "../waiting/unless-late.ts";

/** Options of a `mariadb` connection. */
export type MariadbConfig = Readonly<Record<string, unknown>>;

/** The part of the module `mariadb` that is used. */
export interface MariadbModule {
  createConnection(config: MariadbConfig): Promise<MariadbConnection>;
}

/** The part of a `mariadb` connection that is used. */
export interface MariadbConnection {
  readonly threadId: number | null;
  readonly info: {
    readonly status: number | null;
    isMariaDB(): boolean;
    hasMinVersion(major: number, minor?: number, patch?: number): boolean;
  } | null;
  query(sql: string, values?: readonly unknown[]): Promise<unknown>;
  execute(sql: string, values?: readonly unknown[]): Promise<unknown>;
  queryStream(sql: string, values?: readonly unknown[]): MariadbStream;
  ping(timeout?: number): Promise<void>;
  end(): Promise<void>;
  destroy(): void;
  isValid(): boolean;
  on(event: "error" | "end", listener: () => void): unknown;
}

interface MariadbStream extends AsyncIterable<unknown> {
  /** Forgets the rows that are still to come. */
  close(): void;
  on(event: "error", listener: () => void): unknown;
}

interface MariadbOutcome {
  readonly affectedRows: number;
  readonly insertId: bigint | number;
}

/** The bit of the server's status that says that a transaction is open. */
const IN_TRANSACTION = 1;
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
  readonly #another: () => Promise<MariadbConnection>;
  #running = 0;
  #broken = false;

  private constructor(
    connection: MariadbConnection,
    socket: Socket | undefined,
    another: () => Promise<MariadbConnection>,
  ) {
    this.#connection = connection;
    this.#socket = socket;
    this.#another = another;
    const lost = () => {
      this.#broken = true;
    };
    connection.on("error", lost);
    connection.on("end", lost);
  }

  static async open(mariadb: MariadbModule, config: MariadbConfig): Promise<MysqlConnection> {
    let socket: Socket | undefined;
    const { host, port } = config as { readonly host?: string; readonly port?: number };
    const stream = () => {
      socket = connect({ host: host!, port: port! }).setNoDelay(true);
      return socket;
    };
    const connecting = mariadb.createConnection(host === undefined ? config : { stream, ...config });
    try {
      // The driver's own limit ends with the login, before the settings are made.
      const limit = Number(config["connectTimeout"]);
      const connection = await unlessLate(connecting, limit > 0 ? limit + SETTINGS : 0);
      return new MysqlConnection(connection, socket, () => mariadb.createConnection({ ...config, initSql: undefined }));
    } catch (error) {
      // What comes too late is not wanted.
      connecting.then((late) => late.destroy()).catch(() => {});
      socket?.destroy();
      throw error;
    }
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

  async executeQuery<R>({ sql, parameters, prepare }: EngineQuery): Promise<QueryResult<R>> {
    const outcome = await this.#run(() =>
      prepare === true || parameters.length > 0
        ? this.#connection.execute(sql, parameters)
        : this.#connection.query(sql),
    );
    // The caller knows what shape its statement gives.
    if (Array.isArray(outcome)) return { rows: outcome as R[] };
    const { affectedRows, insertId } = outcome as MariadbOutcome;
    const result = { rows: [], numAffectedRows: BigInt(affectedRows ?? 0) };
    return insertId === undefined || insertId === 0n || insertId === 0
      ? result
      : { ...result, insertId: BigInt(insertId) };
  }

  executeMany<R>(query: EngineQuery<R>, parameterSets: readonly (readonly unknown[])[]): Promise<QueryResult<R>[]> {
    // The driver sends each without waiting for the answers, which come in order.
    const prepared = { ...query, prepare: true };
    return allOrFirstError(
      parameterSets.map((parameters) => this.executeQuery<R>(withParameters(prepared, parameters))),
    );
  }

  async *streamQuery<R>(
    { sql, parameters, keepConnection }: EngineQuery,
    chunkSize: number,
  ): AsyncIterableIterator<QueryResult<R>> {
    const stream = this.#connection.queryStream(sql, parameters);
    // Once nobody reads any more, nobody else hears of an error.
    stream.on("error", () => {});
    let rows: R[] = [];
    let isLeft = true;
    this.#running++;
    try {
      for await (const row of stream) {
        rows.push(row as R);
        if (rows.length < chunkSize) continue;
        yield { rows };
        rows = [];
      }
      isLeft = false;
      if (rows.length > 0) yield { rows };
    } catch (error) {
      isLeft = false;
      throw error;
    } finally {
      this.#running--;
      if (isLeft && keepConnection === true) {
        // The rest of the result is read and forgotten; what comes next waits for that.
        stream.close();
      } else if (isLeft) {
        // A new connection is cheaper than the rest of the result.
        this.#broken = true;
        this.#connection.destroy();
      }
    }
  }

  get inTransaction(): boolean {
    return ((this.#connection.info?.status ?? 0) & IN_TRANSACTION) !== 0;
  }

  ping(timeout: number): Promise<void> {
    return this.#connection.ping(timeout);
  }

  get isBusy(): boolean {
    return this.#running > 0;
  }

  async cancel(): Promise<void> {
    if (!this.isBusy) return;
    const other = await this.#another();
    try {
      await other.query(`kill query ${this.#connection.threadId}`);
      // Where the statement had ended by itself, this is what the server takes for interrupted, and not what comes next.
      await this.#connection.query("do 0").catch(() => {});
    } finally {
      await other.end();
    }
  }

  async close(): Promise<void> {
    if (this.isBroken) return this.destroy();
    this.#broken = true;
    await unlessLate(this.#connection.end(), GOODBYE).catch(() => this.destroy());
  }

  destroy(): void {
    this.#broken = true;
    if (this.#socket === undefined) this.#connection.destroy();
    else this.#socket.destroy(new Error("The connection was given up."));
  }

  async #run<T>(statement: () => Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await statement();
    } catch (error) {
      // A node of a cluster that has lost the others keeps the connection, and does nothing for it.
      if (stringProperty(error, "sqlState")?.startsWith("08") === true) this.#broken = true;
      throw error;
    } finally {
      this.#running--;
    }
  }
}
