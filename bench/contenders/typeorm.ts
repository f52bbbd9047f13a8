import "reflect-metadata";
import { DataSource, type DataSourceOptions, EntitySchema, MoreThan } from "typeorm";
import type { Post, User } from "../data.ts";
import {
  type Contender,
  type Database,
  type Family,
  LIST_ROWS,
  newTitle,
  POOL_SIZE,
  UPDATED_ROWS,
} from "./contender.ts";
import { type AuthSide, type MainSide, storeOf } from "./sides.ts";

const INSTANTS = { sqlite: "datetime", postgres: "timestamptz", mysql: "datetime" } as const;

/** TypeORM, with a data source for each database. It has no identity map. */
export const typeorm: Contender = {
  name: "typeorm",
  label: "TypeORM",
  sqliteInstants: "text",
  drivers: { sqlite: "better-sqlite3", postgres: "pg", mysql: "mysql2" },
  packages: ["typeorm"],
  open: async (binds) => storeOf(binds, await mainSide(binds.main), await authSide(binds.auth)),
};

function postEntity(family: Family): EntitySchema<Post> {
  return new EntitySchema<Post>({
    name: "post",
    columns: {
      id: { type: "int", primary: true, generated: true },
      authorId: { type: "int" },
      title: { type: "varchar", length: 200 },
      body: { type: "text" },
      published: { type: "boolean" },
      createdAt: { type: INSTANTS[family], precision: 3 },
    },
  });
}

function userEntity(family: Family): EntitySchema<User> {
  return new EntitySchema<User>({
    name: "user",
    columns: {
      id: { type: "int", primary: true, generated: true },
      name: { type: "varchar", length: 80 },
      email: { type: "varchar", length: 120 },
      admin: { type: "boolean" },
      createdAt: { type: INSTANTS[family], precision: 3 },
    },
  });
}

async function mainSide(database: Database): Promise<MainSide> {
  const entity = postEntity(database.family);
  const source = await connect(database, entity);
  const posts = source.getRepository(entity);
  return {
    get: (id) => posts.findOneBy({ id }),
    list: (after) =>
      posts.find({ where: { published: true, id: MoreThan(after) }, order: { id: "ASC" }, take: LIST_ROWS }),
    byAuthor: (authorId) => posts.find({ where: { authorId }, order: { id: "ASC" } }),
    // `insert` puts the key into what it is given.
    async insert(values) {
      const post = posts.create(values);
      await posts.insert(post);
      return post;
    },
    insertAll: (values) =>
      source.transaction(async (manager) => {
        const created = posts.create([...values]);
        await manager.insert(entity, created);
        return created;
      }),
    async update(after, title) {
      const changed = await posts.find({ where: { id: MoreThan(after) }, order: { id: "ASC" }, take: UPDATED_ROWS });
      for (const post of changed) post.title = newTitle(title, post);
      await posts.save(changed);
    },
    close: () => source.destroy(),
  };
}

async function authSide(database: Database): Promise<AuthSide> {
  const entity = userEntity(database.family);
  const source = await connect(database, entity);
  const users = source.getRepository(entity);
  return {
    get: (id) => users.findOneByOrFail({ id }),
    insertAll: (values) =>
      source.transaction(async (manager) => {
        const created = users.create([...values]);
        await manager.insert(entity, created);
        return created;
      }),
    close: () => source.destroy(),
  };
}

function connect(
  { family, name, host, port, user, password }: Database,
  entity: EntitySchema<Post> | EntitySchema<User>,
): Promise<DataSource> {
  const server = { host, port, username: user, password, database: name, entities: [entity] };
  const options: Record<Family, DataSourceOptions> = {
    sqlite: { type: "better-sqlite3", database: name, entities: [entity] },
    postgres: { ...server, type: "postgres", poolSize: POOL_SIZE },
    mysql: { ...server, type: "mariadb", poolSize: POOL_SIZE, timezone: "Z" },
  };
  return new DataSource(options[family]).initialize();
}
