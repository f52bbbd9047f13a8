import { DatabaseConnectionError, DatabaseError } from "../../errors/database.ts";
import type { Engine } from "../engine.ts";
import type { Owner } from "../pool/owner.ts";
import { catalogOf } from "../reflection/catalog-query.ts";
import { retry } from "../waiting/retry.ts";
import type { Ending } from "./two-phase.ts";

/**
 * Ends a prepared transaction on a connection of its own. Again if the connection is lost, or if the transaction is still
 * with the connection that prepared it.
 *
 * @returns `"gone"` if another process has ended it
 * @throws {OperationalError} if it could not be ended now
 */
export function endPrepared(engine: Engine, owner: Owner, gid: string, ending: Ending): Promise<"ended" | "gone"> {
  const mayPass = (error: unknown) => error instanceof DatabaseConnectionError || isElsewhere(engine, error);
  return retry(mayPass, () => attemptToEnd(engine, owner, gid, ending));
}

async function attemptToEnd(engine: Engine, owner: Owner, gid: string, ending: Ending): Promise<"ended" | "gone"> {
  const connection = await engine.connect({ use: "write", owner });
  try {
    await connection.endPrepared(gid, ending);
    return "ended";
  } catch (error) {
    if (!isElsewhere(engine, error)) throw error;
    const prepared = await engine.twoPhase!.prepared(catalogOf(connection));
    if (prepared.some((one) => one.gid === gid)) throw error;
    return "gone";
  } finally {
    await connection.release();
  }
}

function isElsewhere(engine: Engine, error: unknown): boolean {
  return error instanceof DatabaseError && engine.twoPhase!.isElsewhere(error.cause);
}
