import * as mysql from "drizzle-orm/mysql-core";

export const mysqlTables = {
  post: mysql.mysqlTable("post", {
    id: mysql.int().primaryKey().autoincrement(),
    authorId: mysql.int().notNull(),
    title: mysql.varchar({ length: 200 }).notNull(),
    body: mysql.text().notNull(),
    published: mysql.boolean().notNull(),
    createdAt: mysql.datetime({ fsp: 3 }).notNull(),
  }),
  user: mysql.mysqlTable("user", {
    id: mysql.int().primaryKey().autoincrement(),
    name: mysql.varchar({ length: 80 }).notNull(),
    email: mysql.varchar({ length: 120 }).notNull(),
    admin: mysql.boolean().notNull(),
    createdAt: mysql.datetime({ fsp: 3 }).notNull(),
  }),
};
