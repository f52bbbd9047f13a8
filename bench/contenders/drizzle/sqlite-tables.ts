import * as sqlite from "drizzle-orm/sqlite-core";

export const sqliteTables = {
  post: sqlite.sqliteTable("post", {
    id: sqlite.integer().primaryKey(),
    authorId: sqlite.integer().notNull(),
    title: sqlite.text().notNull(),
    body: sqlite.text().notNull(),
    published: sqlite.integer({ mode: "boolean" }).notNull(),
    createdAt: sqlite.integer({ mode: "timestamp_ms" }).notNull(),
  }),
  user: sqlite.sqliteTable("user", {
    id: sqlite.integer().primaryKey(),
    name: sqlite.text().notNull(),
    email: sqlite.text().notNull(),
    admin: sqlite.integer({ mode: "boolean" }).notNull(),
    createdAt: sqlite.integer({ mode: "timestamp_ms" }).notNull(),
  }),
};

/** The builders are called alike for all databases, so the types of one stand for all. */
export type Tables = typeof sqliteTables;
