import type { Contender, Database } from "../contender.ts";
import { LIST_ROWS, newTitle, UPDATED_ROWS } from "../contender.ts";
import { type AuthSide, type MainSide, storeOf } from "../sides.ts";
import { connect } from "./client.ts";

/** Prisma with driver adapters, and a client for each database. */
export const prisma: Contender = {
  name: "prisma",
  label: "Prisma",
  sqliteInstants: "iso",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" },
  packages: ["@prisma/client"],
  open: async (binds) => storeOf(binds, await mainSide(binds.main), await authSide(binds.auth)),
};

async function mainSide(database: Database): Promise<MainSide> {
  const client = await connect(database);
  return {
    get: (id) => client.post.findUnique({ where: { id } }),
    list: (after) =>
      client.post.findMany({ where: { published: true, id: { gt: after } }, orderBy: { id: "asc" }, take: LIST_ROWS }),
    byAuthor: (authorId) => client.post.findMany({ where: { authorId }, orderBy: { id: "asc" } }),
    insert: (values) => client.post.create({ data: values }),
    // On MySQL, rows that were created together do not come back.
    insertAll: (posts) =>
      database.family === "mysql"
        ? client.$transaction(posts.map((data) => client.post.create({ data })))
        : client.post.createManyAndReturn({ data: posts }),
    async update(after, title) {
      const posts = await client.post.findMany({
        where: { id: { gt: after } },
        orderBy: { id: "asc" },
        take: UPDATED_ROWS,
      });
      await client.$transaction(
        posts.map((post) => client.post.update({ where: { id: post.id }, data: { title: newTitle(title, post) } })),
      );
    },
    close: () => client.$disconnect(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const client = await connect(database);
  return {
    get: (id) => client.user.findUniqueOrThrow({ where: { id } }),
    insertAll: (users) =>
      database.family === "mysql"
        ? client.$transaction(users.map((data) => client.user.create({ data })))
        : client.user.createManyAndReturn({ data: users }),
    close: () => client.$disconnect(),
  };
}
