import assert from "node:assert/strict";
import { binary, DdlError, integer, json, Multibind, sql, text, UnsupportedError } from "../../src/index.ts";
import { onEachFamily, record } from "../fixtures/matrix.ts";

onEachFamily("a table that exists stays as it is, whatever its model could not be made as", async (t, url, family) => {
  const db = new Multibind();
  db.table("binary_keys", { id: binary().primaryKey(), label: text().unique(), note: text().index() });
  db.table("document_keys", { id: json().primaryKey() });
  const fresh = db.table("fresh", { id: integer().primaryKey() });
  const app = db.init({ databaseUri: url });
  const { kysely } = app.engines.get(null);
  t.after(async () => {
    await app.dropAll();
    await app.dispose();
  });
  await sql`create table binary_keys (id varchar(16) primary key, label varchar(9), note varchar(9))`.execute(kysely);
  await sql`create table document_keys (id varchar(16) primary key)`.execute(kysely);
  const sent = record(app);
  await app.createAll();
  assert.deepEqual(
    sent.flatMap(({ sql: text }) => /^create table \W(\w+)/.exec(text)?.[1] ?? []),
    ["fresh"],
  );
  assert.deepEqual(await kysely.selectFrom(fresh).selectAll().execute(), []);
  if (family !== "mysql") return;
  await sql`drop table fresh`.execute(kysely);
  await sql`drop table document_keys`.execute(kysely);
  sent.length = 0;
  await assert.rejects(
    app.createAll(),
    (error) => error instanceof DdlError && error.cause instanceof UnsupportedError,
  );
  assert.ok(!sent.some(({ sql: text }) => text.startsWith("create")));
});
