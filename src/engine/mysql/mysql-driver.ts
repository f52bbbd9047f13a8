import { userInfo } from "node:os";
import { CompiledQuery, type DatabaseConnection, type TransactionSettings, validateTransactionSettings } from "kysely";
import type { ServerLacks } from "../driver.ts";
import { certificatesOf } from "../options/certificates.ts";
import type { DriverConfig } from "../options/driver-config.ts";
import { exportsOf, importFailure } from "../options/driver-module.ts";
import { passwordOf } from "../options/password.ts";
import { KEEP_ALIVE, PooledDriver } from "../pool/pooled-driver.ts";
import { MysqlConnection } from "./mysql-connection.ts";
import { MARIADB, MYSQL } from "./mysql-lacks.ts";
import type { MariadbConfig, MariadbModule } from "./mysql-module.ts";
import { mysqlUrlOptions } from "./mysql-url.ts";

/** The driver of MySQL and MariaDB, on the package `mariadb`. */
export class MysqlDriver extends PooledDriver<MysqlConnection> {
  #lacksReturning = false;
  #lacks: ServerLacks | undefined;

  constructor(config: DriverConfig) {
    const { bindKey, options } = config;
    super({
      bindKey,
      size: options.poolSize,
      timeout: options.poolTimeout,
      recycle: options.poolRecycle,
      prePing: options.poolPrePing,
      silence: options.networkTimeout,
      connect: async (limit) => {
        const connection = await connect(config, limit);
        this.#lacksReturning = !connection.isMariadb;
        this.#lacks = connection.isMariadb ? MARIADB : MYSQL;
        return connection;
      },
    });
  }

  /** MySQL itself has no `returning`; MariaDB has. Known from the first connection on. */
  override get lacksReturning(): boolean {
    return this.#lacksReturning;
  }

  override get lacks(): ServerLacks | undefined {
    return this.#lacks;
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    validateTransactionSettings(settings);
    for (const sql of beginStatements(settings)) await connection.executeQuery(CompiledQuery.raw(sql));
  }
}

function beginStatements({ isolationLevel, accessMode }: TransactionSettings): readonly string[] {
  const isolation = isolationLevel === undefined ? [] : [`set transaction isolation level ${isolationLevel}`];
  return [...isolation, accessMode === undefined ? "start transaction" : `start transaction ${accessMode}`];
}

async function connect(engine: DriverConfig, time: number): Promise<MysqlConnection> {
  const { bindKey, options } = engine;
  // The structural interface names the few members used; whatever module is given has to have them.
  const mariadb = exportsOf(
    options.driver ?? (await import("mariadb").catch(importFailure("mariadb", bindKey))),
  ) as MariadbModule;
  const url = options.url!;
  const { charset, unix_socket, socketPath = unix_socket, ...query } = mysqlUrlOptions(url);
  const certificates = await certificatesOf(url, { ca: "ssl_ca", cert: "ssl_cert", key: "ssl_key" });
  const hosts = url.hosts.length === 0 ? [{ host: "localhost" }] : url.hosts;
  const password = await passwordOf(engine);
  let failure: unknown;
  for (const address of hosts) {
    const config: MariadbConfig = {
      ...query,
      ...(certificates === undefined ? {} : { ssl: certificates }),
      ...(socketPath === undefined
        ? { host: address.host, port: ("port" in address ? address.port : undefined) ?? 3306 }
        : { socketPath }),
      user: url.username ?? userInfo().username,
      ...(password === undefined ? {} : { password }),
      ...(url.database === undefined ? {} : { database: url.database }),
      keepAliveDelay: options.networkTimeout ?? KEEP_ALIVE,
      charset: charset ?? "utf8mb4",
      timezone: "Z",
      // A host that does not answer must not take the time of all.
      connectTimeout: time / hosts.length,
      // Stored values come back without loss: big integers, decimals, dates and JSON do not become numbers,
      // local times and objects here; columns convert them.
      bigIntAsNumber: false,
      decimalAsNumber: false,
      insertIdAsNumber: false,
      dateStrings: true,
      jsonStrings: true,
      autoJsonMap: false,
      checkDuplicate: false,
      // Parameters are the application's data, and errors repeat what is logged.
      logParam: false,
      initSql: sessionSettings(options),
      ...options.driverOptions,
    };
    try {
      const connection = await MysqlConnection.open(bindKey, mariadb, config);
      if (hosts.length > 1) await connection.requireReady();
      return connection;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function sessionSettings({ isolationLevel, statementTimeout, readOnly }: DriverConfig["options"]): string[] {
  const settings = ["autocommit = 1", "time_zone = '+00:00'", "sql_mode = concat(@@sql_mode, ',STRICT_ALL_TABLES')"];
  return [
    `set ${settings.join(", ")}${statementTimeout === undefined ? "" : limit(statementTimeout)}`,
    ...(isolationLevel === undefined ? [] : [`set session transaction isolation level ${isolationLevel}`]),
    ...(readOnly ? ["set session transaction read only"] : []),
  ];
}

/** MariaDB and MySQL have different names and units for it; each passes over the comment that is the other's. */
function limit(timeout: number): string {
  return `/*M! , max_statement_time = ${timeout / 1000} *//*!80000 , max_execution_time = ${Math.max(1, Math.round(timeout))} */`;
}
