import { CompiledQuery, type DatabaseConnection, type TransactionSettings } from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import { OperationalError } from "../../errors/database.ts";
import type { AnsweredResult } from "../driver.ts";
import { type Certificates, certificatesOf } from "../options/certificates.ts";
import type { DatabaseUrl } from "../options/database-url.ts";
import type { DriverConfig } from "../options/driver-config.ts";
import { exportsOf } from "../options/driver-module.ts";
import { PooledDriver } from "../pool/pooled-driver.ts";
import { PostgresConnection } from "./postgres-connection.ts";
import type { PgClientConfig, PgModule } from "./postgres-module.ts";
import { targetsOf } from "./postgres-target.ts";
import { postgresAddresses, sslAttempts } from "./postgres-url.ts";
import { losslessTypes } from "./postgres-wire-types.ts";

/** The driver of PostgreSQL, on the package `pg`. */
export class PostgresDriver extends PooledDriver<PostgresConnection> {
  readonly #bindKey: BindKey;

  constructor(config: DriverConfig) {
    const { bindKey, options } = config;
    super({
      bindKey,
      size: options.poolSize,
      timeout: options.poolTimeout,
      recycle: options.poolRecycle,
      prePing: options.poolPrePing,
      connect: () => connect(config),
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

  protected override beginStatements({ isolationLevel, accessMode }: TransactionSettings): readonly string[] {
    const isolation = isolationLevel === undefined ? "" : ` isolation level ${isolationLevel}`;
    return [`begin${isolation}${accessMode === undefined ? "" : ` ${accessMode}`}`];
  }
}

async function connect({ options }: DriverConfig): Promise<PostgresConnection> {
  // The structural interface names the few members used; whatever module is given has to have them.
  const pg = exportsOf(options.driver ?? (await import("pg"))) as PgModule;
  const url = options.url!;
  const addresses = postgresAddresses(url);
  const certificates = await certificatesOf(url, { ca: "sslrootcert", cert: "sslcert", key: "sslkey" });
  let failure: unknown;
  for (const { target, address, ssl } of attempts(url, addresses, certificates)) {
    const clientConfig: PgClientConfig = {
      ...address,
      // A host that does not answer must not take the time of all.
      connectionTimeoutMillis: options.poolTimeout / addresses.length,
      keepAlive: true,
      types: losslessTypes(pg.types),
      ...ssl,
      ...options.driverOptions,
    };
    try {
      return await PostgresConnection.open(pg, clientConfig, sessionSettings(options), target);
    } catch (error) {
      failure = error;
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

function sessionSettings({ isolationLevel, statementTimeout, readOnly }: DriverConfig["options"]): readonly string[] {
  return [
    // The forms in which dates and floating-point numbers are read, whatever the server's own are.
    "set datestyle to iso",
    "set extra_float_digits to 1",
    // The day of an instant, `current_date` and `now()` in a column without time zone.
    "set timezone to 'UTC'",
    ...(isolationLevel === undefined
      ? []
      : [`set session characteristics as transaction isolation level ${isolationLevel}`]),
    // 0 would mean that there is no limit.
    ...(statementTimeout === undefined
      ? []
      : [`set statement_timeout to ${Math.max(1, Math.round(statementTimeout))}`]),
    ...(readOnly ? ["set default_transaction_read_only to on"] : []),
  ];
}
