import { stat } from "node:fs/promises";
import { sql } from "kysely";
import type { RunQuery } from "../reflection/catalog-query.ts";

/**
 * The file: its number in the file system, and when it was made, or its path where the file system does not know that. A
 * copy is another file; one that is moved within its file system is the same.
 */
export async function sqliteIdentity(run: RunQuery): Promise<readonly string[]> {
  const [main] = await run(sql<{ readonly file: string | null }>`
    select file from pragma_database_list where name = 'main'`);
  // A dialect may reach a database that is no file of this computer.
  const file = main?.file ?? "";
  if (file === "") return [];
  const { ino, birthtimeNs } = await stat(file, { bigint: true });
  return [String(ino), birthtimeNs > 0n ? String(birthtimeNs) : file];
}
