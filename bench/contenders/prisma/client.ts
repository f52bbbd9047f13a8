import type { NewPost, NewUser, Post, User } from "../../data.ts";
import { type Database, type Family, POOL_SIZE } from "../contender.ts";

/** The part of a model in the generated client that is used. */
interface Delegate<T, N> {
  findUnique(query: { where: { id: number } }): Promise<T | null>;
  findUniqueOrThrow(query: { where: { id: number } }): Promise<T>;
  findMany(query: { where: object; orderBy: object; take?: number }): Promise<T[]>;
  create(query: { data: N }): Promise<T>;
  createManyAndReturn(query: { data: readonly N[] }): Promise<T[]>;
  update(query: { where: { id: number }; data: Partial<N> }): Promise<T>;
}

/** The part of the generated client that is used. */
export interface Client {
  readonly post: Delegate<Post, NewPost>;
  readonly user: Delegate<User, NewUser>;
  $transaction<T>(work: readonly Promise<T>[]): Promise<T[]>;
  $disconnect(): Promise<void>;
}

const PROVIDERS: Readonly<Record<Family, string>> = { sqlite: "sqlite", postgres: "postgresql", mysql: "mysql" };

/** Prisma's client for a database, on its driver adapter. */
export async function connect(database: Database): Promise<Client> {
  const generated = new URL(`../../generated/prisma/${PROVIDERS[database.family]}/client/client.ts`, import.meta.url);
  const { PrismaClient } = (await import(generated.href)) as { PrismaClient: new (options: object) => Client };
  return new PrismaClient({ adapter: await adapterFor(database) });
}

async function adapterFor({ family, name, host, port, user, password }: Database): Promise<object> {
  if (family === "sqlite") {
    const { PrismaBetterSqlite3 } = await import("@prisma/adapter-better-sqlite3");
    return new PrismaBetterSqlite3({ url: `file:${name}` });
  }
  if (family === "postgres") {
    const { PrismaPg } = await import("@prisma/adapter-pg");
    return new PrismaPg({ host, port, user, database: name, max: POOL_SIZE });
  }
  const { PrismaMariaDb } = await import("@prisma/adapter-mariadb");
  return new PrismaMariaDb({ host, port, user, password, database: name, connectionLimit: POOL_SIZE });
}
