import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Application,
  DdlError,
  type FamilyName,
  integer,
  Multibind,
  SelfDeadlockError,
  type Session,
  sql,
  varchar,
} from "../../src/index.ts";
import { onMysql, onPostgres } from "../fixtures/databases.ts";
import { onEachFamily, sessionOf, sharedDatabase, start } from "../fixtures/matrix.ts";

const SERVERS: readonly FamilyName[] = ["postgres", "mysql"];

const db = new Multibind();
class Note extends db.model("note", { id: integer().primaryKey(), text: varchar(20) }) {}

async function withNotes(t: TestContext, url: string): Promise<Application<string>> {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([new Note({ id: 1, text: "one" }), new Note({ id: 2, text: "two" })]);
  await session.commit();
  return app;
}

/** Changes a row in the session of a context, and commits when the function has returned. */
function holding<T>(app: Application<string>, run: () => Promise<T>): Promise<T> {
  return app.transaction(async () => {
    const note = await db.session.getOne(Note, 1);
    db.session.touch(note, "text");
    note.text = "outer";
    await db.session.flush();
    return run();
  });
}

const ROW_WRITES: Readonly<Record<string, (session: Session<string>, app: Application<string>) => Promise<unknown>>> = {
  "a flush": async (session) => {
    (await session.getOne(Note, 1)).text = "inner";
    await session.commit();
  },
  "a flush in a savepoint": async (session) => {
    await session.transaction(async () => {
      await session.transaction(async () => {
        (await session.getOne(Note, 1)).text = "inner";
      });
    });
  },
  "a bulk update": (session) => session.select(Note).where("id", "=", 1).update({ text: "inner" }),
  "a bulk delete": (session) => session.select(Note).where("id", "=", 1).delete(),
  "Kysely's form": (session) => session.updateTable(Note).set({ text: "inner" }).where("id", "=", 1).execute(),
  "SQL text": (session) => session.execute(sql`update note set text = 'inner' where id = 1`),
  "a lock": (session) => session.get(Note, 1, { lock: true }),
  "the key of a row": (session) => {
    session.add(new Note({ id: 3, text: "inner" }));
    return session.commit();
  },
  "a statement of the engine": (_, app) => sql`update note set text = 'inner' where id = 1`.execute(app.engine.kysely),
  "a transaction of the engine": (_, app) =>
    app.engine.kysely.transaction().execute((trx) => sql`delete from note where id = 1`.execute(trx)),
};

for (const [what, write] of Object.entries(ROW_WRITES)) {
  onEachFamily(
    `${what} that waits for the context around it is a SelfDeadlockError`,
    async (t, url) => {
      const app = await withNotes(t, url);
      await holding(app, async () => {
        db.session.add(new Note({ id: 3, text: "outer" }));
        await db.session.flush();
        await assert.rejects(
          app.run(() => write(db.session as Session<string>, app), { onUncommitted: "ignore" }),
          (error: unknown) => {
            assert.ok(error instanceof SelfDeadlockError, String(error));
            assert.match(error.message, /waits for itself: on the default bind .* transaction of session \d+ holds/);
            assert.equal(error.bindKey, null);
            return true;
          },
        );
      });
      const notes = await sessionOf(app).select(Note).orderBy("id").pluck("text");
      assert.deepEqual(notes, ["outer", "two", "outer"], "the outer one goes on");
      assert.equal(app.engine.status().inUse, 0);
    },
    SERVERS,
  );
}

onEachFamily(
  "a nested transaction whose statement waited for the context around it can be rolled back, and the rest goes on",
  async (t, url) => {
    const app = await withNotes(t, url);
    await holding(app, async () => {
      await app.transaction(async () => {
        (await db.session.getOne(Note, 2)).text = "inner";
        const nested = await db.session.beginNested();
        await assert.rejects(db.session.execute(sql`delete from note where id = 1`), SelfDeadlockError);
        await nested.rollback();
      });
    });
    assert.deepEqual(await sessionOf(app).select(Note).orderBy("id").pluck("text"), ["outer", "inner"]);
  },
  SERVERS,
);

onEachFamily(
  "a transaction function of another session that surrounds a statement is seen without a context",
  async (t, url) => {
    const app = await withNotes(t, url);
    const [outer, inner] = [sessionOf(app), sessionOf(app)];
    await outer.transaction(async () => {
      (await outer.getOne(Note, 1)).text = "outer";
      await outer.flush();
      const update = inner.transaction(async () => {
        await inner.updateTable(Note).set({ text: "inner" }).where("id", "=", 1).execute();
      });
      await assert.rejects(update, SelfDeadlockError);
    });
    // Made beside the context, used in it.
    await holding(app, () => assert.rejects(inner.execute(sql`delete from note where id = 1`), SelfDeadlockError));
    await inner.rollback();
  },
  SERVERS,
);

const referring = new Multibind();
referring.table("note", { id: integer().primaryKey(), text: varchar(20) });
referring.table("child", { id: integer().primaryKey(), noteId: integer().references("note.id") });

onEachFamily("tables that the session around has a transaction on are not waited for", async (t, url) => {
  const app = await withNotes(t, url);
  const other = referring.init({ databaseUri: url });
  t.after(() => other.dispose());
  const isOne = (error: unknown) => {
    assert.ok(error instanceof DdlError, String(error));
    const cause = (error.cause ?? {}) as { readonly code?: string };
    assert.equal(cause.code, "SELF_DEADLOCK", String(error.message));
    return true;
  };
  await holding(app, async () => {
    await assert.rejects(db.dropAll(), isOne);
    if (!app.engine.family.locksRows) return;
    // MariaDB lets a table refer to one that a transaction has written.
    if (app.engine.family.name === "postgres") await assert.rejects(other.createAll(), isOne, "of another application");
    await assert.rejects(
      app.run(() => db.dropAll()),
      isOne,
      "in a context within it",
    );
    // What needs no lock of the transaction is done.
    await db.createAll();
    await db.reflect();
  });
  await sql`drop table if exists child`.execute(app.engine.kysely);
  assert.equal((await sessionOf(app).getOne(Note, 1)).text, "outer");
});

onEachFamily(
  "two bind keys of one database meet the locks of each other",
  async (t, url) => {
    const two = new Multibind<"other">();
    class Here extends two.model("twice", { id: integer().primaryKey(), text: varchar(20) }) {}
    class There extends two.model("twice", { id: integer().primaryKey(), text: varchar(20) }, { bindKey: "other" }) {}
    const same = new URL(url);
    same.hostname = same.hostname === "localhost" ? "127.0.0.1" : "localhost";
    const app = two.init({ databaseUri: url, binds: { other: same.href } });
    const session = app.session();
    t.after(async () => {
      await session.close();
      await app.dropAll({ bindKey: null });
      await app.dispose();
    });
    await app.createAll({ bindKey: null });
    session.add(new Here({ id: 1, text: "stored" }));
    await session.commit();
    (await session.getOne(Here, 1)).text = "here";
    (await session.getOne(There, 1)).text = "there";
    await assert.rejects(session.commit(), (error: unknown) => {
      assert.ok(error instanceof SelfDeadlockError, String(error));
      assert.match(error.message, /on bind "other"|on the default bind, the same server/);
      return true;
    });
    await session.rollback();
    assert.equal((await session.getOne(Here, 1)).text, "stored");
  },
  SERVERS,
);

onEachFamily(
  "a wait for another client is not taken for one's own",
  async (t, _, family) => {
    const url = await sharedDatabase(family);
    const app = await withNotes(t, url);
    const stranger = sessionOf(app);
    (await stranger.getOne(Note, 2)).text = "stranger";
    await stranger.flush();
    await holding(app, async () => {
      const inner = app.transaction(async () => {
        (await db.session.getOne(Note, 2)).text = "inner";
      });
      await untilWatched(url, family, app);
      await stranger.commit();
      await inner;
    });
    assert.deepEqual(await sessionOf(app).select(Note).orderBy("id").pluck("text"), ["outer", "inner"]);
  },
  SERVERS,
);

/** Waits until a statement is watched: there is a connection more than those of the application, and this one's own. */
async function untilWatched(url: string, family: FamilyName, { engine }: Application<string>): Promise<void> {
  const own = () => engine.status().inUse + engine.status().idle + 1;
  const count = async () => {
    const [row] =
      family === "postgres"
        ? await onPostgres("select count(*) as n from pg_stat_activity where datname = current_database()", url)
        : await onMysql("select count(*) as n from information_schema.processlist where db = database()", url);
    return Number(row!["n"]);
  };
  while ((await count()) <= own()) await delay(10);
}
