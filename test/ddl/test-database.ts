import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { CompiledQuery } from "kysely";
import type { BindKey } from "../../src/bind-key.ts";
import type { BindTarget } from "../../src/ddl/bind-target.ts";
import { Engine } from "../../src/engine/engine.ts";
import type { FamilyName } from "../../src/engine/options/database-url.ts";
import { type EngineOptions, resolveEngineOptions } from "../../src/engine/options/engine-options.ts";
import type { Multibind } from "../../src/multibind.ts";
import { databaseUrl, SERVERS } from "../fixtures/databases.ts";

export const familyNames: readonly FamilyName[] = ["sqlite", "postgres", "mysql"];

/** A database of its own for a test, with what was sent to it. */
export class TestDatabase {
  readonly family: FamilyName;
  readonly engine: Engine;
  /** The statements that reached the engine, without catalogue queries. */
  readonly sent: string[] = [];
  readonly #drop: () => Promise<void>;

  private constructor(family: FamilyName, engine: Engine, drop: () => Promise<void>) {
    this.family = family;
    this.engine = engine;
    this.#drop = drop;
    engine.onStatement(({ sql }) => {
      if (!/^\s*select\b/i.test(sql)) this.sent.push(sql);
    });
  }

  static async open(family: FamilyName, bindKey: BindKey = null, options: EngineOptions = {}): Promise<TestDatabase> {
    if (family === "sqlite") {
      const engine = makeEngine(bindKey, { url: "sqlite://", ...options });
      return new TestDatabase(family, engine, async () => {});
    }
    const server = SERVERS[family];
    const admin = makeEngine(null, { url: server.href });
    const name = `mb_ddl_${randomBytes(6).toString("hex")}`;
    await admin.execute(CompiledQuery.raw(`create database ${name}`), { use: "write" });
    const engine = makeEngine(bindKey, { url: databaseUrl(server, name), ...options });
    return new TestDatabase(family, engine, async () => {
      await admin.execute(CompiledQuery.raw(`drop database ${name}`), { use: "write" });
      await admin.close();
    });
  }

  /** The database with the tables that a `db` has for its bind. */
  target(db: Multibind): BindTarget {
    return { engine: this.engine, metadata: db.metadatas.ensure(this.engine.bindKey) };
  }

  /** Another engine on the same database. */
  again(options: EngineOptions = {}): Engine {
    return makeEngine(this.engine.bindKey, { url: this.engine.url!, ...options });
  }

  /** What is sent for statements that make or drop tables: in a transaction where the database has such. */
  inTransaction(...statements: readonly string[]): string[] {
    return this.engine.family.transactionalDdl ? ["begin", ...statements, "commit"] : [...statements];
  }

  async run<R = Record<string, unknown>>(sql: string): Promise<readonly R[]> {
    const { rows } = await this.engine.execute<R>(CompiledQuery.raw(sql) as CompiledQuery<R>, { use: "write" });
    return rows;
  }

  /** The names of the tables that are there, in alphabetical order. */
  async tables(): Promise<string[]> {
    const rows = await this.run<{ name: string }>(
      this.family === "sqlite"
        ? "select name from sqlite_master where type = 'table' and name not like 'sqlite%' order by name"
        : `select table_name as name from information_schema.tables where table_schema = ${this.family === "postgres" ? "current_schema()" : "database()"} order by table_name`,
    );
    return rows.map(({ name }) => name);
  }

  async close(): Promise<void> {
    await this.engine.close();
    await this.#drop();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function makeEngine(bindKey: BindKey, options: EngineOptions): Engine {
  // `resolveEngineOptions` checks names and values itself.
  const layer = options as Readonly<Record<string, unknown>>;
  return new Engine({ bindKey, options: resolveEngineOptions([layer], "test") });
}

/** Runs a test on each family, each time with a database of its own. */
export function onEachFamily(
  name: string,
  body: (database: TestDatabase) => Promise<void>,
  families = familyNames,
): void {
  for (const family of families) {
    test(`${name} (${family})`, async () => {
      await using database = await TestDatabase.open(family);
      await body(database);
    });
  }
}
