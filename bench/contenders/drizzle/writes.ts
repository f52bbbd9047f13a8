import { eq, sql } from "drizzle-orm";
import type { SQLiteInsertValue } from "drizzle-orm/sqlite-core";
import type { Post } from "../../data.ts";
import type { Family } from "../contender.ts";
import type { Connection, Db } from "./connection.ts";
import type { Tables } from "./sqlite-tables.ts";

type AnyTable = Tables["post"] | Tables["user"];

interface Keys {
  readonly id: number;
}

/** A builder of MySQL's, which has no `returning`. */
interface MysqlInsert {
  $returningId(): Promise<Keys[]> & { prepare(): unknown };
}

/** An insert that gives the keys back. */
export function keysOf(family: Family, insert: ReturnType<ReturnType<Db["insert"]>["values"]>, table: AnyTable) {
  if (family === "mysql")
    return (insert as unknown as MysqlInsert).$returningId() as unknown as ReturnType<typeof returningKeys>;
  return returningKeys(insert, table);
}

function returningKeys(insert: ReturnType<ReturnType<Db["insert"]>["values"]>, table: AnyTable) {
  return insert.returning({ id: table.id });
}

/** Stores rows in a transaction. */
export async function insertAll<R extends object>(
  { family, db, transaction }: Connection,
  table: AnyTable,
  rows: readonly R[],
): Promise<(R & Keys)[]> {
  // The rows of the scenario are those of the table.
  const values = rows as unknown as SQLiteInsertValue<typeof table>[];
  const keys =
    family === "sqlite"
      ? db.transaction((inner) => inner.insert(table).values(values).returning({ id: table.id }).all())
      : await transaction(async (inner) => (await keysOf(family, inner.insert(table).values(values), table)) as Keys[]);
  return rows.map((row, place) => ({ id: keys[place]!.id, ...row }));
}

/** Stores new titles in a transaction, with a statement for each. */
export async function updateTitles(
  { family, db, tables, transaction }: Connection,
  posts: readonly Post[],
): Promise<void> {
  const { post } = tables;
  if (family === "sqlite") {
    db.transaction((inner) => {
      for (const { id, title } of posts) inner.update(post).set({ title }).where(eq(post.id, id)).run();
    });
    return;
  }
  await transaction(async (inner) => {
    for (const { id, title } of posts) await inner.update(post).set({ title }).where(eq(post.id, id));
  });
}

/** The same, with a statement that is prepared once. */
export function titleUpdate(db: Db, { post }: Tables) {
  return db
    .update(post)
    .set({ title: sql`${sql.placeholder("title")}` })
    .where(eq(post.id, sql.placeholder("id")));
}
