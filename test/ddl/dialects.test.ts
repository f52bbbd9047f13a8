import assert from "node:assert/strict";
import { test } from "node:test";
import Database from "better-sqlite3";
import { type Dialect, PGliteDialect, PostgresDialect, SqliteDialect } from "kysely";
import pg from "pg";
import { createAll } from "../../src/ddl/create-all.ts";
import { dropAll } from "../../src/ddl/drop-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import { Engine } from "../../src/engine/engine.ts";
import { resolveEngineOptions } from "../../src/engine/options/engine-options.ts";
import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { numeric } from "../../src/schema/types/numeric.ts";
import { varchar } from "../../src/schema/types/string.ts";
import { connectionString } from "../fixtures/databases.ts";
import { describeMetadata } from "./table-description.ts";
import { TestDatabase } from "./test-database.ts";

async function roundTrip(dialect: Dialect): Promise<void> {
  const engine = new Engine({ bindKey: null, options: resolveEngineOptions([{ dialect }], "test") });
  const db = new Multibind();
  db.table("person", {
    id: integer().primaryKey(),
    name: varchar(20).unique(),
    home: integer().nullable().references("house.id"),
  });
  db.table("house", {
    id: integer().primaryKey(),
    price: numeric(8, 2).index(),
    owner: integer().nullable().references("person.id"),
  });
  await createAll([{ engine, metadata: db.metadata }], db.metadatas);
  const found = new Multibind();
  await reflect([{ engine, metadata: found.metadata }]);
  found.metadatas.check();
  await dropAll([{ engine, metadata: db.metadata }], db.metadatas);
  const nothing = new Multibind();
  await reflect([{ engine, metadata: nothing.metadata }]);
  await engine.close();
  const { person, house } = describeMetadata(found.metadata);
  assert.equal(person!.generatedKey, "id");
  assert.deepEqual(house!.columns[1]!.type, { kind: "numeric", precision: 8, scale: 2 });
  assert.equal(house!.foreignKeys.length, 1);
  assert.equal(nothing.metadata.tables.size, 0);
}

test("tables are made, read and dropped through Kysely's own dialect of SQLite", () =>
  roundTrip(new SqliteDialect({ database: new Database(":memory:") })));

test("tables are made, read and dropped through Kysely's own dialect of PostgreSQL", async () => {
  await using database = await TestDatabase.open("postgres");
  const url = connectionString(database.engine.url!.render({ hidePassword: false }));
  await roundTrip(new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) }));
});

test("tables are made, read and dropped through PGlite", async () => {
  // Its declarations need types of browsers; the name in a variable keeps the compiler from reading them.
  const module: string = "@electric-sql/pglite";
  const { PGlite } = (await import(module)) as { PGlite: { create(): Promise<never> } };
  await roundTrip(new PGliteDialect({ pglite: () => PGlite.create() }));
});
