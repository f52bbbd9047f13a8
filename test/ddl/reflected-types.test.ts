import assert from "node:assert/strict";
import { test } from "node:test";
import { reflect } from "../../src/ddl/reflect.ts";
import type { FamilyName } from "../../src/engine/options/database-url.ts";
import { Multibind } from "../../src/multibind.ts";
import { describeTable } from "./table-description.ts";
import { TestDatabase } from "./test-database.ts";

type Described = ReturnType<typeof describeTable>;
type Cases = readonly (readonly [declared: string, type: Record<string, unknown>])[];

async function tableOf(database: TestDatabase, sql: string): Promise<Described> {
  await database.run(sql);
  const db = new Multibind();
  await reflect([database.target(db)]);
  return describeTable(db.metadata.tables.get("one")!);
}

function typesAre(family: FamilyName, cases: Cases): void {
  test(`declared types become logical types (${family})`, async () => {
    await using database = await TestDatabase.open(family);
    if (family === "postgres") await database.run("create type mood as enum ('happy', 'it''s')");
    const columns = cases.map(([declared], position) => `c${position} ${declared}`);
    const table = await tableOf(database, `create table one (${columns.join(", ")})`);
    const found = table.columns.map(({ type }, position) => [cases[position]![0], type]);
    assert.deepEqual(found, cases);
  });
}

const native = (declared: string) => ({ kind: "native", declared });

typesAre("postgres", [
  ["int2", { kind: "smallint" }],
  ["int4", { kind: "integer" }],
  ["int8", { kind: "bigint" }],
  ["numeric(10, 2)", { kind: "numeric", precision: 10, scale: 2 }],
  ["numeric(5)", { kind: "numeric", precision: 5, scale: 0 }],
  ["numeric(3, -2)", native("numeric(3,-2)")],
  ["numeric", native("numeric")],
  ["real", native("real")],
  ["double precision", { kind: "float" }],
  ["boolean", { kind: "boolean" }],
  ["varchar(20)", { kind: "varchar", length: 20 }],
  ["varchar(20000)", native("character varying(20000)")],
  ["varchar", { kind: "text" }],
  ["char(3)", { kind: "char", length: 3 }],
  ["text", { kind: "text" }],
  ["date", { kind: "date" }],
  ["time(3)", { kind: "time" }],
  ["time", native("time without time zone")],
  ["timetz(0)", native("time(0) with time zone")],
  ["timestamp(0)", { kind: "timestamp" }],
  ["timestamptz(3)", { kind: "timestamp" }],
  ["timestamp", { kind: "timestamp", asText: true }],
  ["timestamptz", { kind: "timestamp", asText: true }],
  ["interval", native("interval")],
  ["json", { kind: "json" }],
  ["jsonb", { kind: "json" }],
  ["bytea", { kind: "binary" }],
  ["uuid", { kind: "uuid" }],
  ["mood", { kind: "enumeration", values: ["happy", "it's"] }],
  ["integer[]", native("integer[]")],
  ["inet", native("inet")],
]);

typesAre("mysql", [
  ["tinyint(1)", { kind: "boolean" }],
  ["tinyint", { kind: "smallint" }],
  ["smallint", { kind: "smallint" }],
  ["smallint unsigned", { kind: "integer" }],
  ["mediumint", { kind: "integer" }],
  ["int", { kind: "integer" }],
  ["int unsigned", { kind: "bigint" }],
  ["bigint", { kind: "bigint" }],
  ["decimal(10, 2)", { kind: "numeric", precision: 10, scale: 2 }],
  ["float", native("float")],
  ["double", { kind: "float" }],
  ["double(8, 2)", native("double(8,2)")],
  ["bit(1)", native("bit(1)")],
  ["varchar(20) character set utf8mb4 collate utf8mb4_bin", { kind: "varchar", length: 20 }],
  [
    "varchar(20) character set latin1 collate latin1_bin",
    { kind: "varchar", length: 20, mysqlCollation: "latin1_bin" },
  ],
  ["char(3) character set utf8mb4 collate utf8mb4_bin", { kind: "char", length: 3 }],
  ["char(36) character set ascii collate ascii_bin", { kind: "uuid" }],
  ["tinytext character set utf8mb4 collate utf8mb4_bin", { kind: "text" }],
  ["json", { kind: "json" }],
  ["longtext character set utf8mb4 collate utf8mb4_unicode_ci", { kind: "text", mysqlCollation: "utf8mb4_unicode_ci" }],
  ["date", { kind: "date" }],
  ["time", { kind: "time" }],
  ["time(6)", native("time(6)")],
  ["datetime", { kind: "timestamp" }],
  ["datetime(3)", { kind: "timestamp" }],
  ["datetime(6)", { kind: "timestamp", asText: true }],
  ["timestamp(6) null", { kind: "timestamp", asText: true }],
  ["year", native("year(4)")],
  ["varbinary(16)", { kind: "binary", declared: "varbinary(16)" }],
  ["binary(16)", { kind: "binary", declared: "binary(16)" }],
  ["blob", { kind: "binary", declared: "blob" }],
  ["longblob", { kind: "binary" }],
  ["enum('a', 'b,c', 'it''s')", { kind: "enumeration", values: ["a", "b,c", "it's"] }],
  ["set('a', 'b')", native("set('a','b')")],
  ["point", native("point")],
]);

typesAre("sqlite", [
  ["INTEGER", { kind: "integer" }],
  ["int(11)", { kind: "integer" }],
  ["TINYINT", { kind: "smallint" }],
  ["BIGINT", { kind: "bigint" }],
  ["unsigned big int", { kind: "bigint" }],
  ["NUMERIC(10, 2)", { kind: "numeric", precision: 10, scale: 2, declared: "NUMERIC(10, 2)" }],
  ["DECIMAL(8)", { kind: "numeric", precision: 8, scale: 0, declared: "DECIMAL(8)" }],
  ["decimal_text(10, 2)", { kind: "numeric", precision: 10, scale: 2 }],
  ["NUMERIC", native("NUMERIC")],
  ["REAL", { kind: "float" }],
  ["double precision", { kind: "float" }],
  ["BOOLEAN", { kind: "boolean" }],
  ["VARCHAR(255)", { kind: "varchar", length: 255 }],
  ["nvarchar(10)", { kind: "varchar", length: 10 }],
  ["CHARACTER(20)", { kind: "char", length: 20 }],
  ["TEXT", { kind: "text" }],
  ["CLOB", { kind: "text" }],
  ["DATE", { kind: "date" }],
  ["TIME", { kind: "time" }],
  ["timestamp", { kind: "timestamp" }],
  ["timestamp_text", { kind: "timestamp", asText: true }],
  ["DATETIME", { kind: "timestamp", asText: true }],
  ["JSON", { kind: "json" }],
  ["json_text", { kind: "json" }],
  ["BLOB", { kind: "binary" }],
  ["uuid_text", { kind: "uuid" }],
  ["", native("")],
  ["geometry", native("geometry")],
  ["geometry(4326)", native("geometry(4326)")],
]);

for (const [declared, generated] of [
  ["serial primary key", true],
  ["bigserial primary key", true],
  ["smallserial primary key", true],
  ["int generated always as identity primary key", true],
  ["int primary key", false],
  ["int primary key default 5", false],
] as const) {
  test(`"${declared}" is ${generated ? "" : "not "}a generated key on PostgreSQL`, async () => {
    await using database = await TestDatabase.open("postgres");
    const { generatedKey, columns } = await tableOf(database, `create table one (id ${declared}, x text)`);
    assert.equal(generatedKey, generated ? "id" : undefined);
    if (generated) assert.equal(columns[0]!.default, undefined);
  });
}

for (const [declared, generated] of [
  ["integer primary key", true],
  ["INTEGER PRIMARY KEY AUTOINCREMENT", true],
  ["int primary key", false],
  ["integer primary key desc", false],
  ["bigint primary key", false],
  ["text primary key", false],
] as const) {
  test(`"${declared}" is ${generated ? "" : "not "}a generated key on SQLite`, async () => {
    await using database = await TestDatabase.open("sqlite");
    assert.equal(
      (await tableOf(database, `create table one (id ${declared}, x text)`)).generatedKey,
      generated ? "id" : undefined,
    );
  });
}

test("the key of a SQLite table without row numbers is not generated", async () => {
  await using database = await TestDatabase.open("sqlite");
  assert.equal(
    (await tableOf(database, "create table one (id integer primary key) without rowid")).generatedKey,
    undefined,
  );
});

for (const [declared, generated] of [
  ["int unsigned auto_increment primary key", "bigint"],
  ["smallint auto_increment primary key", "integer"],
  ["int primary key", undefined],
] as const) {
  test(`"${declared}" is ${generated === undefined ? "not " : ""}a generated key on MySQL`, async () => {
    await using database = await TestDatabase.open("mysql");
    const { generatedKey, columns } = await tableOf(database, `create table one (id ${declared}, x text)`);
    assert.equal(generatedKey, generated && "id");
    if (generated !== undefined) assert.equal(columns[0]!.type.kind, generated);
  });
}

test("PostgreSQL's tables of extensions, partitions and other schemas are left out", async () => {
  await using database = await TestDatabase.open("postgres");
  await database.run("create schema other");
  await database.run("create table other.two (id int)");
  await database.run("create table one (id int, at date) partition by range (at)");
  await database.run("create table one_2026 partition of one for values from ('2026-01-01') to ('2027-01-01')");
  const db = new Multibind();
  await reflect([database.target(db)]);
  assert.deepEqual([...db.metadata.tables.keys()], ["one"]);
});

test("SQLite's own, virtual and shadow tables are left out", async () => {
  await using database = await TestDatabase.open("sqlite");
  await database.run("create virtual table search using fts5(body)");
  await database.run("create table one (id integer primary key autoincrement)");
  const db = new Multibind();
  await reflect([database.target(db)]);
  assert.deepEqual([...db.metadata.tables.keys()], ["one"]);
});

test("SQLite's defaults in double quotes are text", async () => {
  await using database = await TestDatabase.open("sqlite");
  const { columns } = await tableOf(
    database,
    `create table one (a text default "it's", b text default NULL, c real default +1.5)`,
  );
  assert.deepEqual(
    columns.map((column) => column.default),
    ["'it''s'", undefined, "+1.5"],
  );
});

test("a SQLite key may refer to a table without naming its columns", async () => {
  await using database = await TestDatabase.open("sqlite");
  await database.run("create table two (b integer, a integer, primary key (a, b))");
  const { foreignKeys } = await tableOf(
    database,
    "create table one (x integer, y integer, foreign key (x, y) references two)",
  );
  assert.deepEqual(foreignKeys[0]!.target, { table: "two", columns: ["a", "b"] });
});

test("a SQLite key to a table that is not there is left out", async () => {
  await using database = await TestDatabase.open("sqlite");
  assert.deepEqual((await tableOf(database, "create table one (x integer references nowhere (id))")).foreignKeys, []);
});
