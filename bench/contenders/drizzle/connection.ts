import type { BetterSQLite3Database } from "drizzle-orm/better-sqlite3";
import { type Database, type Family, POOL_SIZE } from "../contender.ts";
import type { Tables } from "./sqlite-tables.ts";

/** Its builders are called alike for all databases, so the types of one stand for all. */
export type Db = BetterSQLite3Database;

/** A statement that is prepared once and run often. */
export interface Prepared<R> {
  execute(values?: Record<string, unknown>): Promise<R> | R;
}

export interface Connection {
  readonly family: Family;
  readonly db: Db;
  readonly tables: Tables;
  /** Runs work in a transaction. On SQLite it is `db.transaction` that does, since it is synchronous. */
  transaction<T>(work: (db: Db) => Promise<T>): Promise<T>;
  close(): unknown;
}

/** Drizzle on its usual drivers. An application loads what is for its own database only. */
export async function connect({ family, name, host, port, user, password }: Database): Promise<Connection> {
  if (family === "sqlite") {
    const { default: Sqlite } = await import("better-sqlite3");
    const { drizzle } = await import("drizzle-orm/better-sqlite3");
    const { sqliteTables: tables } = await import("./sqlite-tables.ts");
    const database = new Sqlite(name);
    const transaction = () => Promise.reject(new Error("Transactions are synchronous here."));
    return { family, db: drizzle({ client: database }), tables, transaction, close: () => database.close() };
  }
  if (family === "postgres") {
    const { default: pg } = await import("pg");
    const { drizzle } = await import("drizzle-orm/node-postgres");
    const { postgresTables } = await import("./postgres-tables.ts");
    const pool = new pg.Pool({ host, port, user, database: name, max: POOL_SIZE });
    const db = drizzle({ client: pool });
    return alike(
      family,
      db,
      postgresTables,
      (work) => db.transaction((inner) => work(inner as unknown as Db)),
      () => pool.end(),
    );
  }
  const { createPool } = await import("mysql2/promise");
  const { drizzle } = await import("drizzle-orm/mysql2");
  const { mysqlTables } = await import("./mysql-tables.ts");
  const pool = createPool({ host, port, user, password, database: name, connectionLimit: POOL_SIZE, timezone: "Z" });
  const db = drizzle({ client: pool });
  return alike(
    family,
    db,
    mysqlTables,
    (work) => db.transaction((inner) => work(inner as unknown as Db)),
    () => pool.end(),
  );
}

function alike(
  family: Family,
  db: unknown,
  tables: unknown,
  transaction: Connection["transaction"],
  close: () => unknown,
): Connection {
  return { family, db: db as Db, tables: tables as Tables, transaction, close };
}

/** Prepares a statement; PostgreSQL wants a name for it. */
export function prepare<R>(name: string, builder: { prepare(): unknown }): Prepared<R> {
  return (builder as { prepare(name: string): unknown }).prepare(name) as Prepared<R>;
}
