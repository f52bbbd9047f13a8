import { InvalidOptionError } from "../../errors/configuration.ts";

/**
 * Refuses `preparedStatements: false` on a database whose statements are prepared on each connection.
 *
 * @param why a clause that says why nothing is gained there
 * @throws {InvalidOptionError}
 */
export function requirePrepared(preparedStatements: boolean | undefined, where: string, why: string): void {
  if (preparedStatements !== false) return;
  throw new InvalidOptionError(
    `preparedStatements: false is for PostgreSQL behind a transaction pooler, and ${where} is another database: ${why}. ` +
      "Leave the option out.",
  );
}
