import type { Connection } from "../engine/connection.ts";
import type { Use } from "../engine/driver.ts";
import type { Engine } from "../engine/engine.ts";
import { Owner } from "../engine/pool/owner.ts";
import type { DdlOperation } from "../errors/ddl.ts";

/** Lends a connection for a piece of work. */
export async function withConnection<T>(
  operation: DdlOperation,
  engine: Engine,
  use: Use,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const owner = new Owner(operation);
  owner.begin();
  try {
    const connection = await engine.connect({ use, owner });
    try {
      return await work(connection);
    } finally {
      await connection.release();
    }
  } finally {
    owner.end();
  }
}

/**
 * Does work in a transaction: committed if it succeeds, rolled back if it throws. Without one where the database commits
 * each statement of it anyway.
 */
export async function inTransaction(connection: Connection, work: () => Promise<void>): Promise<void> {
  if (!connection.engine.family.transactionalDdl) return work();
  await connection.begin();
  try {
    await work();
    await connection.commit();
  } catch (error) {
    // The first failure is the one to tell; a rollback that fails as well has lost the connection.
    await connection.rollback().catch(() => {});
    throw error;
  }
}
