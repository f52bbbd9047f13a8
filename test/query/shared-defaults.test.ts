import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { integer, json, Multibind, sql, timestamp, UnsupportedError, uuid, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Source extends db.model("source", { id: integer().primaryKey(), name: varchar(20) }) {}
class Invite extends db.model("invite", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  token: uuid().default(() => randomUUID()),
}) {}
class Note extends db.model("note", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  kind: varchar(10).default("draft"),
  tags: json<string[]>().default([]),
  rank: integer().default(sql`7`),
  at: timestamp().default(() => new Date()),
}) {}
class Doc extends db.model("doc", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  etag: uuid()
    .nullable()
    .onUpdate(() => randomUUID()),
}) {}
class Log extends db.model("log", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  state: varchar(10).nullable().onUpdate("changed"),
  at: timestamp()
    .nullable()
    .onUpdate(() => new Date()),
}) {}

const refusal = (property: string) => (error: unknown) =>
  error instanceof UnsupportedError && error.message.includes(`"${property}"`) && error.message.includes("each row");

onEachFamily("an insert of a query's rows refuses a function that makes one row's value", async (t, url, family) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll([new Source({ name: "a" }), new Source({ name: "b" })]);
  await session.flush();
  const names = () => session.selectFrom(Source).select("name");
  const insert = () => session.insertInto(Invite).columns(["name"]);
  await assert.rejects(insert().expression(names()).execute(), refusal("token"));
  await assert.rejects(insert().expression(names().distinct()).execute(), refusal("token"));
  await assert.rejects(insert().expression(names().union(names())).execute(), UnsupportedError);
  await assert.rejects(
    session
      .with("named", (qb) => qb.selectFrom(Source).select("name"))
      .insertInto(Invite)
      .columns(["name"])
      .expression((eb) => eb.selectFrom("named").select("named.name"))
      .execute(),
    refusal("token"),
  );
  if (family !== "postgres") {
    await assert.rejects(session.replaceInto(Invite).columns(["name"]).expression(names()).execute(), refusal("token"));
  }
  if (family === "postgres") {
    const merge = session.mergeInto(Invite).using(Source, "source.name", "invite.name").whenNotMatched();
    await assert.rejects(merge.thenInsertValues({ name: sql.ref("source.name") } as never).execute(), refusal("token"));
  }
  assert.equal(await session.select(Invite).count(), 0);

  // The ways out: the query selects a value, rows are listed, or there is but one row.
  await session
    .insertInto(Invite)
    .columns(["name", "token"])
    .expression((eb) => eb.selectFrom(Source).select((inner) => ["name", inner.val(randomUUID()).as("token")]))
    .execute();
  await session
    .insertInto(Invite)
    .values([{ name: "c" }, { name: "d" }])
    .execute();
  await session
    .insertInto(Invite)
    .columns(["name"])
    .expression(session.selectNoFrom(sql.lit("e").as("name")))
    .execute();
  assert.equal(new Set(await session.select(Invite).pluck("token")).size, 4);
});

onEachFamily("an insert of a query's rows takes values, instants and the database's defaults", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll([new Source({ name: "a" }), new Source({ name: "b" })]);
  await session.flush();
  await session.insertInto(Note).columns(["name"]).expression(session.selectFrom(Source).select("name")).execute();
  const notes = await session.select(Note).orderBy("id").all();
  assert.deepEqual(
    notes.map(({ name, kind, tags, rank }) => ({ name, kind, tags, rank })),
    ["a", "b"].map((name) => ({ name, kind: "draft", tags: [], rank: 7 })),
  );
  assert.deepEqual(notes[0]!.at, notes[1]!.at);
});

onEachFamily("an update of several rows refuses a function that makes one row's value", async (t, url, family) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll([new Doc({ name: "a" }), new Doc({ name: "b" })]);
  await session.commit();
  await assert.rejects(session.updateTable(Doc).set({ name: "x" }).where("name", "!=", "y").execute(), refusal("etag"));
  await assert.rejects(session.select(Doc).where("id", ">", 0).update({ name: "x" }), refusal("etag"));
  await assert.rejects(
    session
      .updateTable(Doc)
      .set({ name: "x" })
      .where((eb) => eb.or([eb("id", "=", 1), eb("id", "=", 2)]))
      .execute(),
    refusal("etag"),
  );
  const rows = [{ name: "a" }, { name: "b" }];
  const upsert = (values: typeof rows) =>
    family === "mysql"
      ? session.insertInto(Doc).values(values).onDuplicateKeyUpdate({ name: "a" })
      : session
          .insertInto(Doc)
          .values(values)
          .onConflict((oc) => oc.column("name").doUpdateSet({ name: "a" }));
  await assert.rejects(upsert(rows).execute(), refusal("etag"));
  if (family !== "mysql") {
    const from = session.updateTable(Doc).from(Log).set({ name: "x" });
    await assert.rejects(from.whereRef("log.id", "=", "doc.id").execute(), refusal("etag"));
  }
  if (family === "postgres") {
    const merge = session.mergeInto(Doc).using(Log, "log.id", "doc.id").whenMatched();
    await assert.rejects(merge.thenUpdateSet({ name: "x" } as never).execute(), refusal("etag"));
  }

  // The ways out: a value, one row, one entity after the other.
  await session.updateTable(Doc).set({ etag: null }).where("id", ">", 0).execute();
  await session.updateTable(Doc).set({ name: "c" }).where("id", "=", 1).execute();
  await session.select(Doc).where("name", "=", "b").update({ name: "d" });
  await upsert([{ name: "d" }]).execute();
  const docs = await session.select(Doc).all();
  for (const doc of docs) doc.name += "!";
  await session.commit();
  assert.equal(new Set(await session.select(Doc).pluck("etag")).size, 2);
});

onEachFamily("an update of several rows takes values and instants", async (t, url) => {
  const session = sessionOf(await start(t, db, { databaseUri: url }));
  session.addAll([new Log({ name: "a" }), new Log({ name: "b" })]);
  await session.commit();
  await session
    .updateTable(Log)
    .set((eb) => ({ name: eb.fn<string>("upper", ["name"]) }))
    .execute();
  session.expungeAll();
  const logs = await session.select(Log).orderBy("id").all();
  assert.deepEqual(
    logs.map(({ name, state, at }) => [name, state, at instanceof Date]),
    [
      ["A", "changed", true],
      ["B", "changed", true],
    ],
  );
});
