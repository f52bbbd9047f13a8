import assert from "node:assert/strict";
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import Database from "better-sqlite3";
import {
  type Application,
  DatabaseTimeoutError,
  integer,
  Multibind,
  OperationalError,
  sql,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { until } from "../fixtures/until.ts";

const db = new Multibind();
class Counter extends db.model("counter", { id: integer().primaryKey(), n: integer() }) {}
class Line extends db.model("line", { id: integer().primaryKey(), what: varchar(4000).unique() }) {}

interface Place {
  readonly app: Application;
  readonly file: string;
}

async function start(t: TestContext, url: string, engineOptions = {}): Promise<Place> {
  const app = db.init({ databaseUri: url, engineOptions });
  t.after(() => app.dispose());
  await app.createAll();
  await app.transaction(() => db.session.add(new Counter({ id: 1, n: 0 })));
  return { app, file: url.slice("sqlite:///".length) };
}

/** What SQLite itself says of a file, in a connection of its own. */
function verdict(file: string): unknown {
  const database = new Database(file);
  try {
    return database.pragma("integrity_check", { simple: true });
  } finally {
    database.close();
  }
}

/** Another process that writes, and what it has said. */
class Writer {
  readonly child: ChildProcessWithoutNullStreams;
  #said = "";

  constructor(t: TestContext, ...given: readonly string[]) {
    this.child = spawn(process.execPath, [join(import.meta.dirname, "sqlite-writer.ts"), ...given]);
    this.child.stdout.on("data", (text) => {
      this.#said += text;
    });
    this.child.stderr.pipe(process.stderr);
    t.after(() => this.child.kill("SIGKILL"));
  }

  begin(): void {
    this.child.stdin.write("go\n");
  }

  hears(word: string): Promise<void> {
    return until(() => this.#said.includes(word));
  }
}

test("many sessions of several processes that write to one file lose nothing, and none gets a busy error", async (t) => {
  const { app, file } = await start(t, await freshDatabase(t, "sqlite"));
  const [processes, sessions, times] = [3, 20, 10];
  const children = Array.from(
    { length: processes },
    (_, index) => new Writer(t, file, `process ${index}`, String(sessions), String(times)),
  );
  await Promise.all(children.map((child) => child.hears("ready")));
  for (const child of children) child.begin();
  let ticks = 0;
  const clock = setInterval(() => ticks++, 1);
  t.after(() => clearInterval(clock));
  await Promise.all(
    Array.from({ length: sessions }, async (_, session) => {
      for (let time = 0; time < times; time++) {
        await app.transaction(async () => {
          (await db.session.getOne(Counter, 1, { lock: true })).n += 1;
          db.session.add(new Line({ what: `here ${session} ${time}` }));
        });
      }
    }),
  );
  await Promise.all(children.map((child) => child.hears("done")));
  assert.ok(ticks > 10, "the event loop went on meanwhile");
  const all = (processes + 1) * sessions * times;
  await app.run(async () => {
    assert.equal((await db.session.getOne(Counter, 1)).n, all);
    assert.equal(await db.select(Line).count(), all);
  });
  assert.equal(verdict(file), "ok");
});

test("a process that is killed while it writes leaves the file sound and free", async (t) => {
  const { app, file } = await start(t, await freshDatabase(t, "sqlite"), { poolTimeout: 5 });
  for (let round = 0; round < 5; round++) {
    const writer = new Writer(t, file, `round ${round}`, "10", "10000");
    await writer.hears("ready");
    writer.begin();
    await delay(30 + 20 * round);
    writer.child.kill("SIGKILL");
    await once(writer.child, "exit");
    await app.transaction(async () => {
      const counter = await db.session.getOne(Counter, 1, { lock: true });
      assert.equal(await db.select(Line).count(), counter.n, "each transaction is there as a whole or not at all");
    });
    assert.equal(verdict(file), "ok");
  }
});

test("a full database is an OperationalError, leaves what was stored, and takes more when there is room", async (t) => {
  const { app, file } = await start(t, await freshDatabase(t, "sqlite"));
  const session = app.session();
  t.after(() => session.close());
  const pages = async (most: number) => {
    await session.execute(sql.raw(`pragma max_page_count = ${most}`));
    await session.commit();
  };
  await pages(30);
  const stored = await fill(app);
  await app.run(async () => assert.equal(await db.select(Line).count(), stored));
  assert.equal(app.engine.status().inUse, 0);
  assert.equal(verdict(file), "ok");
  await pages(10_000);
  await app.transaction(() => db.session.add(new Line({ what: "more" })));
  await app.run(async () => assert.equal(await db.select(Line).count(), stored + 1));
});

test("a full disk is an OperationalError too, and leaves the file sound", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "multibind-full-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=768k", "multibind", folder], { stdio: "pipe" });
  } catch {
    await rm(folder, { recursive: true });
    t.skip("only an administrator can make a small disk");
    return;
  }
  t.after(async () => {
    execFileSync("umount", [folder]);
    await rm(folder, { recursive: true });
  });
  const { app, file } = await start(t, `sqlite:///${join(folder, "full.db")}`);
  const stored = await fill(app);
  assert.ok(stored > 0);
  await app.run(async () => assert.equal(await db.select(Line).count(), stored));
  assert.equal(app.engine.status().inUse, 0);
  await app.dispose();
  const check = db.init({ databaseUri: `sqlite:///${file}`, engineOptions: { readOnly: true } });
  await check.run(async () => {
    const { rows } = await db.session.execute(sql`pragma integrity_check`, { readOnly: true });
    assert.deepEqual(rows, [{ integrity_check: "ok" }]);
    assert.equal(await db.select(Line).count(), stored);
  });
  await check.dispose();
});

test("a file that another process keeps locked is an OperationalError in time, and sound", async (t) => {
  const { app, file } = await start(t, await freshDatabase(t, "sqlite"), { poolTimeout: 0.2 });
  const holder = new Database(file);
  t.after(() => holder.close());
  holder.exec("begin immediate");
  const line = () => app.transaction(() => db.session.add(new Line({ what: "mine" })));
  await assert.rejects(
    line(),
    (error: unknown) => error instanceof OperationalError && error instanceof DatabaseTimeoutError,
  );
  await app.run(async () => assert.equal(await db.select(Line).count(), 0, "readers are not in the way"));
  holder.exec("rollback");
  await line();
  assert.equal(verdict(file), "ok");
});

/** Stores lines until there is no more room; returns how many were stored. */
async function fill(app: Application): Promise<number> {
  for (let stored = 0; ; stored++) {
    try {
      await app.transaction(() => db.session.add(new Line({ what: `${stored} ${"x".repeat(3900)}` })));
    } catch (error) {
      assert.ok(error instanceof OperationalError, String(error));
      assert.match(error.message, /full|disk/i);
      return stored;
    }
  }
}
