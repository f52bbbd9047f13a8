import { CompiledQuery, type DatabaseConnection, type TransactionSettings, validateTransactionSettings } from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import { OperationalError } from "../../errors/database.ts";
import type { AnsweredResult } from "../driver.ts";
import { type Certificates, certificatesOf } from "../options/certificates.ts";
import type { DatabaseUrl } from "../options/database-url.ts";
import type { DriverConfig } from "../options/driver-config.ts";
import { exportsOf, importFailure } from "../options/driver-module.ts";
import { passwordOf } from "../options/password.ts";
import { KEEP_ALIVE, PooledDriver } from "../pool/pooled-driver.ts";
import { PostgresConnection, type PostgresEngine } from "./postgres-connection.ts";
import type { PgClientConfig, PgModule } from "./postgres-module.ts";
import { Pooling } from "./postgres-pooling.ts";
import { PostgresSettings } from "./postgres-settings.ts";
import { targetsOf } from "./postgres-target.ts";
import { postgresAddresses, sslAttempts } from "./postgres-url.ts";
import { losslessTypes } from "./postgres-wire-types.ts";

/** The driver of PostgreSQL, on the package `pg`. */
export class PostgresDriver extends PooledDriver<PostgresConnection> {
  readonly #bindKey: BindKey;

  constructor(config: DriverConfig) {
    const { bindKey, options } = config;
    const settings = new PostgresSettings(options);
    const pooling = new Pooling(bindKey, options.preparedStatements);
    super({
      bindKey,
      size: options.poolSize,
      timeout: options.poolTimeout,
      recycle: options.poolRecycle,
      prePing: options.poolPrePing,
      silence: options.networkTimeout,
      connect: (limit) => connect(config, { settings, pooling }, limit),
    });
    this.#bindKey = bindKey;
  }

  /** @throws {OperationalError} if a statement had failed before, and so the server rolled back instead */
  override async commitTransaction(connection: DatabaseConnection): Promise<void> {
    // The connections of this driver give the server's answer along.
    const { command } = (await connection.executeQuery(CompiledQuery.raw("commit"))) as AnsweredResult;
    if (command !== "ROLLBACK") return;
    const bindKey = this.#bindKey;
    throw new OperationalError(
      `Cannot commit the transaction on ${bindLabel(bindKey)}: a statement in it had failed, so the server rolled it back. ` +
        "Run statements that may fail within a savepoint.",
      { bindKey },
    );
  }

  override async beginTransaction(connection: DatabaseConnection, settings: TransactionSettings): Promise<void> {
    validateTransactionSettings(settings);
    // This driver lends no others.
    await (connection as PostgresConnection).begin(settings);
  }
}

async function connect(config: DriverConfig, engine: PostgresEngine, time: number): Promise<PostgresConnection> {
  const { bindKey, options } = config;
  // The structural interface names the few members used; whatever module is given has to have them.
  const pg = exportsOf(options.driver ?? (await import("pg").catch(importFailure("pg", bindKey)))) as PgModule;
  const url = options.url!;
  const addresses = postgresAddresses(url);
  const certificates = await certificatesOf(url, { ca: "sslrootcert", cert: "sslcert", key: "sslkey" });
  // A host that does not answer must not take the time of all, nor be tried in another way.
  const limit = time / addresses.length;
  const silent = new Set<PgClientConfig>();
  const password = await passwordOf(config);
  let failure: unknown;
  for (const { target, address, ssl } of attempts(url, addresses, certificates)) {
    if (silent.has(address)) continue;
    const clientConfig: PgClientConfig = {
      ...address,
      ...(password === undefined ? {} : { password }),
      connectionTimeoutMillis: limit,
      keepAlive: true,
      keepAliveInitialDelayMillis: options.networkTimeout ?? KEEP_ALIVE,
      types: losslessTypes(pg.types),
      ...ssl,
      ...options.driverOptions,
    };
    const start = performance.now();
    try {
      return await PostgresConnection.open(pg, clientConfig, { ...engine, target });
    } catch (error) {
      failure = error;
      // Timers may be early by the fraction of a millisecond.
      if (limit > 0 && performance.now() - start > limit - 1) silent.add(address);
    }
  }
  throw failure;
}

/** What to try, in order, until a connection is made. */
function* attempts(url: DatabaseUrl, addresses: readonly PgClientConfig[], certificates?: Certificates) {
  const { sslmode, target_session_attrs: wanted } = url.query;
  for (const target of targetsOf(wanted)) {
    for (const address of addresses)
      for (const ssl of sslAttempts(sslmode, certificates)) yield { target, address, ssl };
  }
}
