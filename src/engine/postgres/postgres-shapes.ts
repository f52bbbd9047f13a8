import { pinHiddenClass } from "../../hidden-class.ts";
import type { PgClient, PgQueryClass } from "./postgres-module.ts";

/** The messages of a server's answer; the others are always the same object. */
const MESSAGES = ["rowDescription", "dataRow", "commandComplete", "readyForQuery"] as const;

const kept = new WeakSet<PgQueryClass>();

/**
 * Keeps one of each object that pg makes for a statement, once for the module: all that it does with a statement's answer
 * would be compiled anew after each full garbage collection, which finds none of them between two statements.
 *
 * @see pinHiddenClass
 */
export async function keepShapesOf(Query: PgQueryClass, client: PgClient): Promise<void> {
  if (kept.has(Query)) return;
  kept.add(Query);
  for (const message of MESSAGES) client.connection?.once?.(message, pinHiddenClass);
  await new Promise<void>((resolve) => {
    // Whatever is wrong, the application's own statement will say.
    const query = new Query("select $1::int as number", [1], () => resolve());
    pinHiddenClass(query);
    client.query(query);
  });
}
