import * as pg from "drizzle-orm/pg-core";

export const postgresTables = {
  post: pg.pgTable("post", {
    id: pg.integer().primaryKey().generatedByDefaultAsIdentity(),
    authorId: pg.integer().notNull(),
    title: pg.varchar({ length: 200 }).notNull(),
    body: pg.text().notNull(),
    published: pg.boolean().notNull(),
    createdAt: pg.timestamp({ precision: 3, withTimezone: true }).notNull(),
  }),
  user: pg.pgTable("user", {
    id: pg.integer().primaryKey().generatedByDefaultAsIdentity(),
    name: pg.varchar({ length: 80 }).notNull(),
    email: pg.varchar({ length: 120 }).notNull(),
    admin: pg.boolean().notNull(),
    createdAt: pg.timestamp({ precision: 3, withTimezone: true }).notNull(),
  }),
};
