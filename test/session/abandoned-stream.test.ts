import assert from "node:assert/strict";
import { test } from "node:test";
import { type Application, integer, Multibind, type Session, SessionError, text } from "../../src/index.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

/** More than fits into what lies between the server and the reader. */
const ROWS = 32_000;
const ENOUGH = new Error("enough");
const db = new Multibind();
class Line extends db.model("line", { id: integer().primaryKey(), name: text() }) {}

async function manyLines(t: Parameters<typeof start>[0], url: string): Promise<Application> {
  const app = await start(t, db, { databaseUri: url });
  await fill(app);
  return app;
}

async function fill(app: Application): Promise<void> {
  await using session = app.session();
  await session
    .insertInto(Line)
    .values(Array.from({ length: 500 }, (_, n) => ({ id: n + 1, name: `line ${n}`.padEnd(100, "x") })))
    .execute();
  for (let count = 500; count < ROWS; count *= 2) {
    await session
      .insertInto(Line)
      .columns(["id", "name"])
      .expression((eb) => eb.selectFrom(Line).select((line) => [line("id", "+", count).as("id"), "name"]))
      .execute();
  }
  await session.commit();
}

type Rows = AsyncIterableIterator<{ readonly id: number }>;

/** Where rows come from. */
const FORMS: Readonly<Record<string, (session: Session, app: Application, signal?: AbortSignal) => Rows>> = {
  entities: (session, _, signal) => session.select(Line).stream({ chunkSize: 10, ...(signal && { signal }) }),
  rows: (session) => session.selectFrom(Line).select("id").stream(10) as Rows,
  "an engine's rows": (_, app) => app.engine.kysely.selectFrom(Line).select("id").stream(10) as Rows,
};

/** How they are left. */
const WAYS: Readonly<Record<string, (rows: Rows) => Promise<void>>> = {
  "a break": async (rows) => {
    for await (const _ of rows) break;
  },
  "an error": (rows) =>
    assert.rejects(async () => {
      for await (const _ of rows) throw ENOUGH;
    }, ENOUGH),
  "return()": async (rows) => {
    await rows.next();
    await rows.return?.();
  },
  "return() before the first row": async (rows) => {
    await rows.return?.();
  },
};

async function all(rows: Rows): Promise<void> {
  for await (const _ of rows);
}

for (const [form, stream] of Object.entries(FORMS)) {
  onEachFamily(`${form} that are left early cost nothing but perhaps their connection`, async (t, url) => {
    const app = await manyLines(t, url);
    const session = sessionOf(app);
    for (const [way, leave] of [...Object.entries(WAYS), ...Object.entries(WAYS)]) {
      await leave(stream(session, app));
      assert.equal(app.engine.status().inUse, 0, way);
      assert.equal(await session.select(Line).count(), ROWS, way);
    }
    session.add(new Line({ id: ROWS + 1, name: "another" }));
    await session.commit();
    assert.equal(await session.select(Line).count(), ROWS + 1);
  });
}

onEachFamily("a stream that is aborted between two rows gives up its connection at most", async (t, url) => {
  const app = await manyLines(t, url);
  const session = sessionOf(app);
  const controller = new AbortController();
  await assert.rejects(async () => {
    for await (const _ of FORMS["entities"]!(session, app, controller.signal)) controller.abort(ENOUGH);
  }, ENOUGH);
  assert.equal(app.engine.status().inUse, 0);
  assert.equal(await session.select(Line).count(), ROWS);
});

onEachFamily("a session that is closed ends its streams, also while a row is waited for", async (t, url) => {
  const app = await manyLines(t, url);
  for (const isWaiting of [false, true]) {
    const session = app.session();
    const rows = FORMS["entities"]!(session, app);
    await rows.next();
    // Many rows are skipped on the way to the next one.
    const rest = isWaiting ? all(rows) : undefined;
    rest?.catch(() => {});
    await session.close();
    await assert.rejects(async () => rest ?? all(rows), SessionError);
    assert.equal(app.engine.status().inUse, 0);
  }
  assert.equal(await app.run(() => db.select(Line).count()), ROWS);
});

onEachFamily("rows of a transaction that are left early leave the transaction as it was", async (t, url) => {
  const app = await manyLines(t, url);
  await app.engine.kysely.transaction().execute(async (plain) => {
    const trx = plain as unknown as typeof app.engine.kysely;
    await trx
      .insertInto(Line)
      .values({ id: ROWS + 1, name: "before" })
      .execute();
    for (const leave of Object.values(WAYS)) await leave(trx.selectFrom(Line).select("id").stream(10) as Rows);
    await trx
      .insertInto(Line)
      .values({ id: ROWS + 2, name: "after" })
      .execute();
  });
  assert.equal(app.engine.status().inUse, 0);
  assert.equal(await app.run(() => db.select(Line).count()), ROWS + 2);
});

test("a stream over a socket in the file system is left as well", async (t) => {
  const server = await mariadbServer(t);
  await server.createDatabase("shop");
  await using app = db.init({ databaseUri: `mysql://root@localhost/shop?unix_socket=${server.socket}` });
  await app.createAll();
  await fill(app);
  for (let round = 0; round < 5; round++) {
    for await (const _ of app.engine.kysely.selectFrom(Line).select("id").stream(10)) break;
    assert.equal(await app.run(() => db.select(Line).count()), ROWS);
  }
});
