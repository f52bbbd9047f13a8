import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import {
  type Application,
  ConfigurationError,
  InvalidOptionError,
  integer,
  Multibind,
  NoContextError,
  SessionClosedError,
  SessionError,
  sql,
  stateOf,
  text,
  UncommittedError,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";
import { freshDatabase, onMysql, onPostgres } from "../fixtures/databases.ts";
import { record, sharedDatabase, start, threeUrls } from "../fixtures/matrix.ts";
import { until } from "../fixtures/until.ts";

function shop() {
  const db = new Multibind<"auth" | "meta">();
  class Post extends db.model("post", { id: integer().primaryKey(), title: varchar(40).unique() }) {}
  class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {}
  class Event extends db.model("event", { id: integer().primaryKey(), what: text() }, { bindKey: "meta" }) {}
  return { db, Post, User, Event };
}

const MEMORY = { databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } } as const;

/** Warnings of the process while a test runs. */
function warnings(t: Parameters<typeof start>[0]): string[] {
  const heard: string[] = [];
  const listen = (warning: Error & { code?: string }) => heard.push(warning.code ?? warning.name);
  process.on("warning", listen);
  t.after(() => process.off("warning", listen));
  return heard;
}

test("a context has a session and engines, and gives what its function returns", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, MEMORY);
  const result = await app.run(async () => {
    assert.equal(db.application, app);
    assert.equal(db.engines, app.engines);
    assert.equal(db.engine, app.engine);
    assert.equal(db.session, db.session);
    db.session.add(new Post({ title: "one" }));
    await db.session.commit();
    return db.select(Post).count();
  });

  assert.equal(result, 1);
  assert.equal(await app.run(() => 5), 5, "a function need not be asynchronous");
});

test("nothing is committed by itself", async (t) => {
  const { db, Post } = shop();
  const heard = warnings(t);
  const app = await start(t, db, MEMORY);
  await app.run(async () => {
    db.session.add(new Post({ title: "one" }));
    await db.session.flush();
  });
  await new Promise(setImmediate);

  assert.deepEqual(heard, ["MULTIBIND_UNCOMMITTED"]);
  assert.equal(await app.run(() => db.select(Post).count()), 0);
});

test("transaction commits at the end, and rolls back on an error", async (t) => {
  const { db, Post, User } = shop();
  const heard = warnings(t);
  const app = await start(t, db, await threeUrls());
  const post = await app.transaction(async () => {
    const post = new Post({ title: "one" });
    db.session.addAll([post, new User({ name: "ada" })]);
    return post;
  });
  assert.equal(stateOf(post), "detached");
  await assert.rejects(
    app.transaction(async () => {
      db.session.addAll([new Post({ title: "two" }), new User({ name: "eve" })]);
      await db.session.flush();
      throw new Error("no");
    }),
    /no/,
  );
  await assert.rejects(
    app.transaction(() => {
      db.session.add(new Post({ title: "one" }));
    }),
    UniqueViolationError,
  );

  await app.run(async () => {
    assert.deepEqual([await db.select(Post).count(), await db.select(User).count()], [1, 1]);
  });
  assert.deepEqual(heard, []);
});

const UNCOMMITTED: Record<
  string,
  (db: ReturnType<typeof shop>["db"], Post: ReturnType<typeof shop>["Post"]) => unknown
> = {
  "an entity that was added": (db, Post) => db.session.add(new Post({ title: "x" })),
  "an entity that was changed": async (db, Post) => {
    (await db.session.getOne(Post, 1)).title = "changed";
  },
  "an entity that is to be deleted": async (db, Post) => db.session.delete(await db.session.getOne(Post, 1)),
  "a flush": async (db, Post) => {
    db.session.add(new Post({ title: "x" }));
    await db.session.flush();
  },
  "a statement that writes": (db, Post) => db.updateTable(Post).set({ title: "y" }).execute(),
  "SQL text": (db) => db.session.execute(sql`update post set title = 'z'`),
};

for (const [what, run] of Object.entries(UNCOMMITTED)) {
  test(`${what} is uncommitted work`, async (t) => {
    const { db, Post } = shop();
    const heard = warnings(t);
    const app = await start(t, db, { ...MEMORY, onUncommitted: "throw" });
    await app.transaction(() => db.session.add(new Post({ title: "stored" })));

    await assert.rejects(
      app.run(() => run(db, Post)),
      UncommittedError,
    );
    await app.run(() => run(db, Post), { onUncommitted: "ignore" });
    await new Promise(setImmediate);
    assert.deepEqual(heard, []);
    await app.run(() => run(db, Post), { onUncommitted: "warn" });
    await new Promise(setImmediate);
    assert.deepEqual(heard, ["MULTIBIND_UNCOMMITTED"]);
    assert.deepEqual(await app.run(async () => (await db.select(Post).all()).map(({ title }) => title)), ["stored"]);
    assert.equal(app.engine.status().inUse, 0);
  });
}

test("work that was committed, rolled back or only read is not uncommitted", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, { ...MEMORY, onUncommitted: "throw" });
  await app.run(async () => {
    db.session.add(new Post({ title: "x" }));
    await db.session.commit();
    db.session.add(new Post({ title: "y" }));
    await db.session.rollback();
    await db.select(Post).all();
    await db.session.execute(sql`select 1`, { readOnly: true });
    db.session.begin();
    await db.select(Post).all();
  });
});

test("an error of the function is thrown, whatever else is left undone", async (t) => {
  const { db, Post } = shop();
  const heard = warnings(t);
  const app = await start(t, db, { ...MEMORY, onUncommitted: "throw" });
  const error = new Error("mine");
  await assert.rejects(
    app.run(async () => {
      db.session.add(new Post({ title: "x" }));
      await db.session.flush();
      throw error;
    }),
    (thrown) => thrown === error,
  );
  await assert.rejects(
    app.run(() => {
      throw error;
    }),
    (thrown) => thrown === error,
  );
  assert.deepEqual(heard, []);
  assert.equal(app.engine.status().inUse, 0);
});

test("a reaction that there is not is refused", async (t) => {
  const { db } = shop();
  const app = await start(t, db, MEMORY);
  await assert.rejects(
    app.run(() => {}, { onUncommitted: "shout" as never }),
    InvalidOptionError,
  );
});

// Outside

test("outside of a context every member that needs one says so", async () => {
  const { db, Post } = shop();
  const app = db.init(MEMORY);
  const members: Record<string, () => unknown> = {
    "db.application": () => db.application,
    "db.session": () => db.session,
    "db.engines": () => db.engines,
    "db.engine": () => db.engine,
    "db.createAll": () => db.createAll(),
    "db.dropAll": () => db.dropAll(),
    "db.reflect": () => db.reflect(),
    "db.select": () => db.select(Post),
    "db.selectFrom": () => db.selectFrom(Post),
    "db.insertInto": () => db.insertInto(Post),
    "db.replaceInto": () => db.replaceInto(Post),
    "db.mergeInto": () => db.mergeInto(Post),
    "db.updateTable": () => db.updateTable(Post),
    "db.deleteFrom": () => db.deleteFrom(Post),
    "db.with": () => db.with("x", (qc) => qc.selectFrom(Post).select("id")),
    "db.withRecursive": () => db.withRecursive("x", (qc) => qc.selectFrom(Post).select("id")),
  };
  for (const [name, use] of Object.entries(members)) {
    await assert.rejects(
      async () => use(),
      (error) => error instanceof NoContextError && error.message.startsWith(name),
      name,
    );
  }
  assert.ok(db.metadata);
  assert.ok(db.metadatas.has("auth"));
  const other = shop();
  const stranger = other.db.init(MEMORY);
  await stranger.run(async () => {
    assert.throws(() => db.session, NoContextError, "another db's context is none of ours");
  });
  await stranger.dispose();
  await app.dispose();
});

// Nesting

test("nested contexts have sessions of their own", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, { ...MEMORY, databaseUri: await sharedDatabase("postgres") });
  await app.run(async () => {
    const outer = db.session;
    const post = new Post({ title: "outer" });
    outer.add(post);
    await outer.flush();
    await app.run(async () => {
      assert.notEqual(db.session, outer);
      assert.equal(await db.select(Post).count(), 0, "uncommitted work around is not seen");
      assert.throws(() => db.session.add(post), SessionError);
      db.session.add(new Post({ title: "inner" }));
      await db.session.commit();
    });
    assert.equal(db.session, outer);
    assert.equal(stateOf(post), "persistent");
    await outer.commit();
    assert.equal(await db.select(Post).count(), 2);
  });
});

test("two applications of one db: each context means its own", async (t) => {
  const { db, Post } = shop();
  const one = await start(t, db, MEMORY);
  const two = await start(t, db, MEMORY);
  await one.transaction(() => db.session.add(new Post({ title: "one" })));
  await one.run(async () => {
    await two.run(async () => {
      assert.equal(db.application, two);
      assert.equal(await db.select(Post).count(), 0);
      await one.run(async () => {
        assert.equal(db.application, one);
        assert.equal(await db.select(Post).count(), 1);
      });
    });
    assert.equal(db.application, one);
  });
  await Promise.all(
    [one, two, one, two].map((app) =>
      app.run(async () => {
        await delay(1);
        assert.equal(db.application, app);
        assert.equal(await db.select(Post).count(), app === one ? 1 : 0);
      }),
    ),
  );
});

test("a context of another db within does not hide the one around", async (t) => {
  const first = shop();
  const second = shop();
  const one = await start(t, first.db, MEMORY);
  const two = await start(t, second.db, MEMORY);
  await one.run(async () => {
    const outer = first.db.session;
    await two.run(async () => {
      assert.equal(first.db.session, outer);
      assert.equal(second.db.application, two);
      second.db.session.add(new second.Post({ title: "two" }));
      first.db.session.add(new first.Post({ title: "one" }));
      await second.db.session.commit();
    });
    await first.db.session.commit();
    assert.throws(() => second.db.session, NoContextError);
  });
});

test("contexts at the same time have sessions of their own", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, { ...MEMORY, databaseUri: await sharedDatabase("mysql") });
  const sessions = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      app.transaction(async () => {
        db.session.add(new Post({ title: `post ${n}` }));
        await delay(1);
        return db.session;
      }),
    ),
  );
  assert.equal(new Set(sessions).size, 20);
  assert.equal(await app.run(() => db.select(Post).count()), 20);
});

// By hand

test("a context that a framework keeps: entered many times, closed once", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, MEMORY);
  const context = app.context();
  const session = await context.run(async () => db.session);
  assert.equal(context.session, session);
  await context.run(async () => {
    assert.equal(db.session, session);
    db.session.add(new Post({ title: "one" }));
  });
  assert.equal(context.hasUncommittedWork, true);
  await context.session.commit();
  assert.equal(context.hasUncommittedWork, false);
  await context.close();
  await context.close();

  assert.throws(() => context.session, SessionClosedError);
  assert.throws(() => context.run(() => {}), SessionClosedError);
  assert.throws(() => session.select(Post), SessionClosedError);
  assert.equal(await app.run(() => db.select(Post).count()), 1);
});

test("an unused context creates no session, and costs nothing", async (t) => {
  const { db } = shop();
  const app = await start(t, db, MEMORY);
  const sent = record(app);
  await app.run(() => {});
  const context = app.context();
  assert.equal(context.hasUncommittedWork, false);
  await context.close();
  assert.deepEqual(sent, []);
});

test("await using ends contexts, sessions and applications", async (t) => {
  const { db, Post } = shop();
  let application: Application<"auth" | "meta">;
  {
    await using app = db.init(MEMORY);
    application = app;
    await app.createAll();
    await using context = app.context();
    await context.run(async () => {
      db.session.add(new Post({ title: "x" }));
      await db.session.flush();
    });
    await using session = app.session();
    assert.equal(session.isClosed, false);
    t.after(() => assert.equal(session.isClosed, true));
  }
  await assert.rejects(
    application.run(() => {}),
    ConfigurationError,
  );
  assert.throws(() => application.context(), ConfigurationError);
  assert.throws(() => application.session(), ConfigurationError);
  await assert.rejects(application.createAll(), ConfigurationError);
});

test("what runs on after its context has ended is told, and can begin a context of its own", async (t) => {
  const { db, Post } = shop();
  const app = await start(t, db, MEMORY);
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  let job: Promise<unknown> | undefined;
  await app.run(async () => {
    void db.session;
    job = (async () => {
      await isOver;
      assert.throws(() => db.session, SessionClosedError);
      assert.equal(db.engines, app.engines);
      await app.transaction(() => db.session.add(new Post({ title: "by a job" })));
      const session = app.session();
      assert.equal(await session.select(Post).count(), 1);
      await session.close();
      assert.equal((await app.engine.kysely.selectFrom(Post.table).selectAll().execute()).length, 1);
      const context = app.context();
      await context.run(() => db.select(Post).all());
      await context.close();
    })();
  });
  end();
  await job;
});

// What is given back

/** How many connections the servers have for the databases of an application. */
async function connections(url: string): Promise<number> {
  const name = new URL(url).pathname.slice(1);
  const sql = url.startsWith("postgres")
    ? `select count(*) as n from pg_stat_activity where datname = '${name}' and state <> 'idle'`
    : `select count(*) as n from information_schema.processlist where db = '${name}' and command <> 'Sleep'`;
  const [row] = await (url.startsWith("postgres") ? onPostgres(sql) : onMysql(sql));
  return Number(row?.["n"]);
}

test("every connection is given back on the way out, in whatever way", async (t) => {
  const { db, Post, User, Event } = shop();
  const urls = await threeUrls();
  const app = await start(t, db, urls);
  const all = () =>
    db.session.addAll([new Post({ title: crypto.randomUUID() }), new User({ name: "x" }), new Event({ what: "x" })]);
  const ways: (() => Promise<unknown>)[] = [
    async () => {
      all();
      await db.session.commit();
    },
    async () => {
      all();
      await db.session.flush();
    },
    async () => {
      all();
      await db.session.flush();
      throw new Error("expected");
    },
    async () => {
      all();
      await db.session.beginNested();
      await db.session.flush();
    },
    async () => {
      db.session.add(new Post({ title: "same" }));
      db.session.add(new Post({ title: "same" }));
      await db.session.commit();
    },
    async () => {
      await db.insertInto(Post).values({ title: "left" }).execute();
      await db.insertInto(Post).values({ title: "left" }).execute();
    },
    async () => {
      await db.select(Post).stream().next();
    },
    async () => {
      // Nobody waits for this.
      void db
        .select(Post)
        .all()
        .catch(() => {});
      void db
        .insertInto(User)
        .values({ name: "late" })
        .execute()
        .catch(() => {});
    },
    () => db.session.transaction(() => Promise.reject(new Error("expected"))),
    async () => {
      await app.run(
        async () => {
          await db.insertInto(User).values({ name: "inner" }).execute();
        },
        { onUncommitted: "ignore" },
      );
    },
  ];
  for (let round = 0; round < 2; round++) {
    for (const way of ways) await app.run(way, { onUncommitted: "ignore" }).catch(() => {});
  }

  for (const [, engine] of app.engines) {
    assert.equal(engine.status().inUse, 0, String(engine));
    assert.equal(engine.status().waiting, 0);
  }
  assert.equal(await connections(urls.databaseUri), 0, "nothing is open on PostgreSQL");
  assert.equal(await connections(urls.binds.auth), 0, "nothing is open on MariaDB");
  await app.run(async () => {
    assert.equal(await db.select(User).count(), await db.select(Event).count());
  });
});

test("dispose ends every context and closes every connection", async (t) => {
  const { db, Post, User } = shop();
  const urls = {
    databaseUri: await freshDatabase(t, "postgres"),
    binds: { auth: await freshDatabase(t, "mysql"), meta: "sqlite://" },
  };
  const app = db.init(urls);
  await app.createAll();
  const contexts = Array.from({ length: 3 }, () => app.context());
  for (const [n, context] of contexts.entries()) {
    await context.run(async () => {
      db.session.addAll([new Post({ title: `post ${n}` }), new User({ name: "x" })]);
      await db.session.flush();
    });
  }
  assert.equal(app.engine.status().inUse, 3);
  await app.dispose();
  await app.dispose();

  assert.throws(() => contexts[0]!.session, SessionClosedError);
  const name = new URL(urls.databaseUri).pathname.slice(1);
  const left = `select count(*) as n from pg_stat_activity where datname = '${name}'`;
  // The server notices closed connections a little later.
  await until(async () => Number((await onPostgres(left))[0]?.["n"]) === 0);
  const again = db.init(urls);
  assert.equal(await again.run(() => db.select(Post).count()), 0);
  await again.dispose();
});

test("a bind that is down does not stop the others", async (t) => {
  const { db, Post, User, Event } = shop();
  const app = db.init({
    databaseUri: await freshDatabase(t, "postgres"),
    binds: { auth: "mysql://root@127.0.0.1:1/none", meta: "sqlite://" },
  });
  t.after(() => app.dispose());
  await app.createAll({ bindKey: [null, "meta"] });
  await app.run(async () => {
    db.session.addAll([new Post({ title: "x" }), new Event({ what: "x" })]);
    await db.session.commit();
    await assert.rejects(db.select(User).all());
    assert.equal(await db.select(Post).count(), 1);
    db.session.addAll([new Post({ title: "y" }), new User({ name: "x" })]);
    await assert.rejects(db.session.commit());
    await db.session.rollback();
    assert.equal(await db.select(Post).count(), 1);
  });
});
