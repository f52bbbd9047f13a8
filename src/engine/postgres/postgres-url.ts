import { userInfo } from "node:os";
import { InvalidUrlError } from "../../errors/configuration.ts";
import type { Certificates } from "../options/certificates.ts";
import type { DatabaseUrl, HostAddress } from "../options/database-url.ts";
import type { PgClientConfig } from "./postgres-module.ts";
import { postgresNameRefusal } from "./postgres-names.ts";
import { TARGETS } from "./postgres-target.ts";

const SSL_MODES = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];

const PLAIN: PgClientConfig = { ssl: false };

/**
 * Checks the parameters of a PostgreSQL URL that have a meaning here; all others go to the driver as they are.
 *
 * @throws {InvalidUrlError} on a value that a parameter does not take
 */
export function checkPostgresUrl(url: DatabaseUrl): void {
  const { sslmode, port, target_session_attrs: target, user, dbname } = url.query;
  for (const [what, name] of [
    ["database", url.database ?? dbname],
    ["user", url.username ?? user],
  ] as const) {
    const reason = name === undefined ? undefined : postgresNameRefusal(name);
    if (reason !== undefined) {
      throw new InvalidUrlError(`The PostgreSQL URL "${url}" has an invalid ${what}: ${reason}.`);
    }
  }
  if (sslmode !== undefined && !SSL_MODES.includes(sslmode)) {
    throw new InvalidUrlError(
      `The PostgreSQL URL "${url}" has sslmode "${sslmode}"; there are ${SSL_MODES.join(", ")}.`,
    );
  }
  if (target !== undefined && !TARGETS.includes(target)) {
    throw new InvalidUrlError(
      `The PostgreSQL URL "${url}" has target_session_attrs "${target}"; there are ${TARGETS.join(", ")}.`,
    );
  }
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535)) {
    throw new InvalidUrlError(`The PostgreSQL URL "${url}" has an invalid port.`);
  }
}

/** Where to connect, in the order in which to try; what the URL does not say, the environment does, as for `psql`. */
export function postgresAddresses(url: DatabaseUrl): PgClientConfig[] {
  const { hosts } = url;
  const { target_session_attrs: _, sslrootcert: _ca, sslcert: _cert, sslkey: _key, ...query } = url.query;
  const { PGHOST, PGPORT, PGUSER, PGDATABASE } = process.env;
  const user = url.username ?? query["user"] ?? PGUSER ?? userInfo().username;
  const addresses: readonly (HostAddress | undefined)[] = hosts.length === 0 ? [undefined] : hosts;
  return addresses.map((address) => ({
    ...query,
    host: address?.host ?? query["host"] ?? PGHOST ?? "localhost",
    port: address?.port ?? Number(query["port"] ?? PGPORT ?? 5432),
    user,
    ...(url.revealPassword() === undefined ? {} : { password: url.revealPassword() }),
    database: url.database ?? query["dbname"] ?? PGDATABASE ?? user,
  }));
}

/** How to encrypt the connection, in the order in which to try. */
export function sslAttempts(mode: string | undefined, certificates?: Certificates): PgClientConfig[] {
  const verified: PgClientConfig = { ssl: certificates ?? true };
  const encrypted: PgClientConfig = { ssl: { ...certificates, rejectUnauthorized: false } };
  switch (mode) {
    case undefined:
      return [certificates === undefined ? {} : verified];
    case "disable":
      return [PLAIN];
    case "allow":
      return [PLAIN, encrypted];
    case "prefer":
      return [encrypted, PLAIN];
    case "require":
      // As in `libpq`, an authority in the URL means that certificates are checked.
      return [certificates?.ca === undefined ? encrypted : verified];
    default:
      return [verified];
  }
}
