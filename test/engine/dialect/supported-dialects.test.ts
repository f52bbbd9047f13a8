import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { defineDecimalFunctions } from "../../../src/index.ts";
import { freshDatabase } from "../../fixtures/databases.ts";
import {
  MYSQL_OPTIONS,
  mysqlDialect,
  openPGlite,
  PG_TYPES,
  PGLITE_PARSERS,
  POSTGRES_JS_TYPES,
  pgDialect,
  pgliteDialect,
  postgresJsDialect,
  sqliteDialect,
} from "../../fixtures/dialects.ts";
import { tryWholeEngine } from "../../fixtures/whole-engine.ts";

test("Kysely's dialect on pg does all that a session does, with the options of the documentation", async (t) => {
  const dialect = pgDialect(await freshDatabase(t, "postgres"), { types: PG_TYPES });
  await tryWholeEngine(t, { dialect }, { streams: true });
});

test("Kysely's dialect on mysql2 does all that a session does, with the options of the documentation", async (t) => {
  const dialect = mysqlDialect(await freshDatabase(t, "mysql"), MYSQL_OPTIONS);
  await tryWholeEngine(t, { dialect }, { streams: true });
});

test("the dialect of postgres.js does all that a session does, with the options of the documentation", async (t) => {
  const dialect = postgresJsDialect(await freshDatabase(t, "postgres"), { types: POSTGRES_JS_TYPES });
  await tryWholeEngine(t, { dialect }, { streams: true });
});

test("Kysely's dialect on better-sqlite3 does all that a session does, with the options of the documentation", async (t) => {
  const dialect = sqliteDialect(":memory:", (database) => {
    database.defaultSafeIntegers(true);
    defineDecimalFunctions(database);
  });
  await tryWholeEngine(t, { dialect }, { streams: true });
});

test("PGlite does all that a session does, in memory", async (t) => {
  const server = await openPGlite({ parsers: PGLITE_PARSERS });
  t.after(() => server.close());
  await tryWholeEngine(t, { dialect: pgliteDialect(server) }, { streams: false, marks: false });
});

test("PGlite does all that a session does, in a folder", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "multibind-pglite-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const server = await openPGlite({ dataDir: folder, parsers: PGLITE_PARSERS });
  t.after(() => server.close());
  await tryWholeEngine(t, { dialect: pgliteDialect(server) }, { streams: false, marks: false });
});
