import assert from "node:assert/strict";
import { CamelCasePlugin, CompiledQuery, type OperationNode, type RawBuilder } from "kysely";
import { integer, Multibind, sql, timestamp, UnsupportedError, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Tag extends db.model("tag", {
  id: integer().primaryKey(),
  label: varchar(40).named("tag_label"),
  at: timestamp().nullable(),
}) {}

async function filled(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  await session.insertInto(Tag).values({ label: "one" }).execute();
  await session.commit();
  return { app, session };
}

/** Hands on to `Error` whatever it is given, as classes without a constructor do. */
class NotThere extends Error {
  constructor(node: unknown) {
    super(node as string);
  }
}
class WithNode extends Error {
  readonly node: OperationNode;
  constructor(node: OperationNode) {
    super(`nothing of a ${node.kind}`);
    this.node = node;
  }
}

onEachFamily("executeTakeFirstOrThrow takes a class, a factory and options on every way to Kysely", async (t, url) => {
  const { app, session } = await filled(t, url);
  const none = [
    app.engine.kysely.selectFrom(Tag).selectAll().where("id", "=", -1),
    session.selectFrom(Tag).selectAll().where("id", "=", -1),
    session.kysely(null).selectFrom(Tag).selectAll().where("id", "=", -1),
  ];
  for (const query of none) {
    await assert.rejects(
      query.executeTakeFirstOrThrow(NotThere),
      (e) => e instanceof NotThere && e.message === "no result",
    );
    await assert.rejects(query.executeTakeFirstOrThrow({ errorConstructor: NotThere }), NotThere);
    await assert.rejects(query.executeTakeFirstOrThrow(WithNode), (error) => {
      assert.ok(error instanceof WithNode);
      assert.equal(error.message, "nothing of a SelectQueryNode");
      return error.node.kind === "SelectQueryNode";
    });
    await assert.rejects(
      query.executeTakeFirstOrThrow(() => new RangeError("mine")),
      RangeError,
    );
    await assert.rejects(query.executeTakeFirstOrThrow(), { message: "no result" });
  }
  assert.equal((await session.selectFrom(Tag).select("label").executeTakeFirstOrThrow(NotThere)).label, "one");
});

onEachFamily("a compiled query of SQL text keeps its parameters", async (t, url, family) => {
  const { app, session } = await filled(t, url);
  const place = family === "postgres" ? "$1" : "?";
  const text = `select tag_label from tag where tag_label = ${place}`;
  const query = CompiledQuery.raw(text, ["one"]);
  const found = [{ tag_label: "one" }];
  assert.deepEqual((await app.engine.kysely.executeQuery(query)).rows, found);
  assert.deepEqual((await session.kysely(null).executeQuery(query)).rows, found);
  assert.deepEqual((await session.execute(query, { bindKey: null })).rows, found);
  assert.deepEqual((await session.execute(CompiledQuery.raw(text, ["two"]))).rows, []);
});

onEachFamily(
  "what another Kysely has compiled runs on the session, with values and columns converted",
  async (t, url) => {
    const { app, session } = await filled(t, url);
    const at = new Date("2026-03-01T08:00:00.123Z");
    const compiled = app.engine.kysely.updateTable(Tag).set({ at }).where("label", "=", "one").compile();
    await session.execute(compiled);
    const read = app.engine.kysely.selectFrom(Tag).select(["label", "at"]).compile();
    assert.deepEqual((await session.kysely(null).executeQuery(read)).rows, [{ label: "one", at }]);
    const text: RawBuilder<unknown> = sql`select ${7} + 1 as eight`;
    const { rows } = await session.execute(text.compile(app.engine.kysely));
    assert.equal(Number((rows[0] as { eight: unknown }).eight), 8);
  },
);

onEachFamily("a compiled query gives converted rows wherever it runs in its application", async (t, url) => {
  const { app, session } = await filled(t, url);
  const at = new Date("2026-03-01T08:00:00.123Z");
  await session.updateTable(Tag).set({ at }).execute();
  await session.commit();
  const queries = [
    app.engine.kysely.selectFrom(Tag).select(["label", "at"]).compile(),
    session.selectFrom(Tag).select(["label", "at"]).compile(),
    session.kysely(null).selectFrom(Tag).select(["label", "at"]).compile(),
  ];
  for (const query of queries) {
    assert.deepEqual((await app.engine.kysely.executeQuery(query)).rows, [{ label: "one", at }]);
    assert.deepEqual((await session.execute(query)).rows, [{ label: "one", at }]);
    assert.deepEqual((await sessionOf(app).kysely(null).executeQuery(query)).rows, [{ label: "one", at }]);
  }
  const other = db.init({ databaseUri: url });
  t.after(() => other.dispose());
  await assert.rejects(other.session().execute(queries[0]!), UnsupportedError);
});

onEachFamily("a session's Kysely creates views of queries", async (t, url) => {
  const { app, session } = await filled(t, url);
  const kysely = session.kysely(null);
  const ids = kysely.selectFrom(Tag).select("id").where("label", "=", "one");
  const { sql: text, parameters } = kysely.schema.createView("tags").as(ids).compile();
  assert.match(text, /create view .tags. as select .id. from .tag. where .tag_label. = 'one'/);
  assert.deepEqual(parameters, []);
  assert.match(app.engine.kysely.schema.createView("tags").as(ids).compile().sql, /tag_label. = 'one'/);
});

onEachFamily(
  "plugins, connections and transactions of a session's Kysely are refused before anything is sent",
  async (t, url) => {
    const { session } = await filled(t, url);
    const kysely = session.kysely(null);
    await assert.rejects(
      kysely.withPlugin(new CamelCasePlugin()).selectFrom(sql<{ id: number }>`tag`.as("tag")).selectAll().execute(),
      UnsupportedError,
    );
    await assert.rejects(
      kysely.transaction().execute(async () => {}),
      UnsupportedError,
    );
    await assert.rejects(
      kysely.connection().execute(async () => {}),
      UnsupportedError,
    );
    await assert.rejects(async () => kysely.startTransaction().execute(), UnsupportedError);
  },
);
