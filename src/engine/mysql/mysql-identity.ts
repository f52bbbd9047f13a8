import { sql } from "kysely";
import type { RunQuery } from "../reflection/catalog-query.ts";

/**
 * The server's own id, which MariaDB lacks, the schema, and when the table was made. A dump makes the table anew, and on
 * MariaDB a copy of the files does so too: the time is that of the file that describes the table.
 */
export async function mysqlIdentity(run: RunQuery, table: string): Promise<readonly string[]> {
  const [server] = await run(sql<{ readonly Value: string }>`show variables like 'server_uuid'`);
  const [made] = await run(sql<{ readonly name: string; readonly at: string }>`
    select database() as name, cast(unix_timestamp(create_time) as char) as at from information_schema.tables
    where table_schema = database() and table_name = ${table}`);
  return [server?.Value ?? "", made!.name, made!.at];
}
