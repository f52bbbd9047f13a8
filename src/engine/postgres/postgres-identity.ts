import { sql } from "kysely";
import { DatabaseConnectionError, DatabaseError } from "../../errors/database.ts";
import type { RunQuery } from "../reflection/catalog-query.ts";

/**
 * The cluster, its timeline and port, the database and the schema, which every role can read. A dump is restored into
 * another database or cluster; a server that was promoted, or restored from a backup of the files, is on another timeline.
 */
export async function postgresIdentity(run: RunQuery): Promise<readonly string[]> {
  const [database] = await run(sql<{ readonly oid: string; readonly schema: string; readonly port: string }>`
    select oid::text as oid, current_schema()::text as schema, current_setting('port') as port from pg_database where datname = current_database()`);
  return [...(await clusterOf(run)), database!.port, database!.oid, database!.schema];
}

async function clusterOf(run: RunQuery): Promise<readonly string[]> {
  try {
    const [row] = await run(sql<{ readonly id: string; readonly timeline: string }>`
      select system_identifier::text as id,
        case when pg_is_in_recovery() then 'standby' else left(pg_walfile_name(pg_current_wal_lsn()), 8) end as timeline
      from pg_control_system()`);
    return [row!.id, row!.timeline];
  } catch (error) {
    // Databases that only speak PostgreSQL's language lack these functions.
    if (error instanceof DatabaseError && !(error instanceof DatabaseConnectionError)) return [];
    throw error;
  }
}
