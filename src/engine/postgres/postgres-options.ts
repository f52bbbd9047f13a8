import { InvalidOptionError } from "../../errors/configuration.ts";
import type { ResolvedEngineOptions } from "../options/resolved-options.ts";
import type { PgClient, PgClientConfig } from "./postgres-module.ts";

/** The options of a `pg` client that are sent at the login, where a pooler refuses or drops them. */
const SENT_AT_LOGIN = ["options", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"];

/**
 * Checks that the driver is given no settings that a pooler would drop, where one is between.
 *
 * @throws {InvalidOptionError}
 */
export function checkPostgresOptions(
  { url, preparedStatements, driverOptions }: ResolvedEngineOptions,
  where: string,
): void {
  if (preparedStatements === false) requirePassedOn({ ...url?.query, ...driverOptions }, where);
}

/**
 * Checks a connection that is made through a pooler.
 *
 * @throws {InvalidOptionError} if its options have a setting that is lost, or its driver does not tell what is needed
 */
export function requireForPooler(client: PgClient, config: PgClientConfig, where: string): void {
  requirePassedOn({ options: process.env["PGOPTIONS"], ...config }, where);
  if (client.getTransactionStatus !== undefined) return;
  throw new InvalidOptionError(
    `Cannot use the driver of ${where} through a transaction pooler: its clients do not tell whether a transaction is open. ` +
      "Update the package pg.",
  );
}

function requirePassedOn(config: PgClientConfig, where: string): void {
  const lost = SENT_AT_LOGIN.find((name) => config[name] !== undefined && config[name] !== false);
  if (lost === undefined) return;
  throw new InvalidOptionError(
    `Cannot use the driver's option "${lost}" on ${where}: it is sent at the login, and a transaction pooler does not pass ` +
      "it on. Use the engine's own options, or `alter role … set`.",
  );
}
