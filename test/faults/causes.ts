import Database from "better-sqlite3";
import {
  type Application,
  type Engine,
  type EngineOptions,
  type FamilyName,
  foreignKey,
  integer,
  Multibind,
  type Session,
  sql,
  varchar,
} from "../../src/index.ts";
import { until } from "../fixtures/until.ts";

const db = new Multibind();
db.table("parent", { id: integer().primaryKey(), n: integer().default(0) });
db.table(
  "child",
  {
    id: integer().primaryKey(),
    parentId: integer().nullable().named("parent_id"),
    name: varchar(5).unique(),
    age: integer().check(sql`age >= 0`, "old_enough"),
  },
  { constraints: [foreignKey(["parentId"], "parent", ["id"])] },
);

/** A database in which something is to go wrong. */
export interface Scene {
  readonly family: FamilyName;
  readonly url: string;
  readonly app: Application;
  readonly session: Session;
  /** Runs SQL in the database, outside of multibind. */
  run(sql: string): Promise<unknown>;
  /** Another application of the same database, or of another place; it ends with the test. */
  open(options?: EngineOptions): Application;
}

/** Makes one thing go wrong; the promise fails with what multibind makes of it. */
export type Cause = (scene: Scene) => Promise<unknown>;

export { db as causesDb };

const text =
  (statement: string): Cause =>
  ({ session }) =>
    session.execute(sql.raw(statement));

/** Every cause of an error, under the name that the documentation gives it. */
export const CAUSES: Readonly<Record<string, Cause>> = {
  "a value that must be unique is there already": async ({ session }) => {
    await session.execute(sql`insert into child (id, name, age) values (1, 'ada', 1)`);
    await session.execute(sql`insert into child (id, name, age) values (2, 'ada', 1)`);
  },
  "a primary key is there already": text("insert into parent (id, n) values (1, 0)"),
  "the row that is referred to does not exist": text(
    "insert into child (id, parent_id, name, age) values (1, 9, 'a', 1)",
  ),
  "a row that is deleted is referred to": async ({ session }) => {
    await session.execute(sql`insert into child (id, parent_id, name, age) values (1, 1, 'ada', 1)`);
    await session.execute(sql`delete from parent where id = 1`);
  },
  "a value is missing": text("insert into child (id, name, age) values (1, null, 1)"),
  "a check refuses the row": text("insert into child (id, name, age) values (1, 'ada', -1)"),
  "the syntax is wrong": text("selec 1"),
  "there is no such table": text("select * from nowhere"),
  "there is no such column": text("select nothing from parent"),
  "the table is there already": text("create table parent (id int)"),
  "the text is too long": text("insert into child (id, name, age) values (1, 'much too long', 1)"),
  "the number is out of range": text("insert into child (id, name, age) values (1, 'ada', 3000000000)"),
  "the value is of another type": text("insert into child (id, name, age) values (1, 'ada', 'old')"),
  "the user has no right to it": async ({ family, open, run, url }) => {
    const guest = await guestOf({ family, run, url });
    await open({ url: guest }).run(() => causesSession().execute(sql`delete from parent`));
  },
  "two transactions lock each other out": async ({ open, session }) => {
    const other = open().session();
    try {
      for (const one of [session, other]) await one.execute(sql`select 1`);
      await session.execute(sql`update parent set n = 1 where id = 1`);
      await other.execute(sql`update parent set n = 2 where id = 2`);
      // Whichever is sent first: each has what the other wants.
      const outcomes = await Promise.allSettled([
        session.execute(sql`update parent set n = 1 where id = 2`),
        other.execute(sql`update parent set n = 2 where id = 1`),
      ]);
      for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
    } finally {
      await other.close();
    }
  },
  "two transactions could not have run one after the other": async ({ session, open, family }) => {
    if (family === "mysql") await session.execute(sql`set innodb_snapshot_isolation = on`, { readOnly: true });
    await session.transaction(
      async (tx) => {
        if (family === "mysql") await tx.execute(sql`set innodb_snapshot_isolation = on`);
        await tx.execute(sql`select n from parent`);
        await open().run(async () => {
          await causesSession().execute(sql`update parent set n = 5 where id = 1`);
          await causesSession().commit();
        });
        await tx.execute(sql`update parent set n = n + 1 where id = 1`);
      },
      { isolationLevel: "repeatable read" },
    );
  },
  "a lock is not to be had in time": async ({ session, open, family, url }) => {
    if (family === "sqlite") {
      // Within this process the writer is waited for in turn; a connection of SQLite's own is as another process's.
      const stranger = new Database(new URL(url).pathname.slice(1));
      stranger.exec("begin immediate");
      await using impatient = open({ poolTimeout: 0.2 }).session();
      await impatient.execute(sql`update parent set n = 2 where id = 1`).finally(() => stranger.close());
      return;
    }
    const patience =
      family === "postgres" ? sql`set local lock_timeout = '100ms'` : sql`set innodb_lock_wait_timeout = 1`;
    const other = open().session();
    try {
      await session.execute(sql`update parent set n = 1 where id = 1`);
      await other.execute(patience);
      await other.execute(sql`update parent set n = 2 where id = 1`);
    } finally {
      await other.close();
    }
  },
  "the statement takes longer than statementTimeout": ({ open, family }) =>
    open({ statementTimeout: 0.1 }).run(() => causesSession().execute(endless(family))),
  "an administrator ends the statement": async ({ session, family, run }) => {
    await Promise.all([session.execute(endless(family)), until(() => endSlowly(family, run))]);
  },
  "no connection comes free in time": async ({ open }) => {
    const app = open({ poolSize: 1, poolTimeout: 0.5 });
    const [holder, waiter] = [app.session(), app.session()];
    try {
      // The time of the option is that of connecting, too, which a busy machine may need longer for.
      await until(() =>
        ask(app.engine).then(
          () => true,
          () => false,
        ),
      );
      await holder.execute(sql`update parent set n = 1 where id = 1`);
      await waiter.execute(sql`update parent set n = 1 where id = 2`);
    } finally {
      await Promise.all([holder.close(), waiter.close()]);
    }
  },
  "the server cannot be reached": ({ open, family }) =>
    ask(
      open({
        url: {
          sqlite: "sqlite:////nowhere/at/all.db",
          postgres: "postgresql://postgres@127.0.0.1:1/shop",
          mysql: "mysql://root@127.0.0.1:1/shop",
        }[family],
      }).engine,
    ),
  "the password is wrong": async ({ family, run, url, open }) => {
    const guest = await guestOf({ family, run, url });
    await ask(open({ url: guest.replace("open-sesame", "wrong") }).engine);
  },
  "there is no such database": ({ family, url, open }) =>
    ask(open({ url: family === "sqlite" ? `${url}-not?mode=rw` : url.replace("/shop", "/nowhere") }).engine),
  "the connection is lost": async ({ session, family, run }) => {
    const own = family === "postgres" ? sql`select pg_backend_pid() as id` : sql`select connection_id() as id`;
    const { rows } = await session.execute<{ id: unknown }>(own as never);
    const id = Number(rows[0]!.id);
    await run(family === "postgres" ? `select pg_terminate_backend(${id})` : `kill ${id}`);
    const there =
      family === "postgres"
        ? `select pid from pg_stat_activity where pid = ${id}`
        : `select id from information_schema.processlist where id = ${id}`;
    await until(async () => ((await run(there)) as unknown[]).length === 0);
    await session.execute(sql`select 1`);
  },
  "the transaction only reads": async ({ family, url, open }) => {
    const app = open({ url: family === "sqlite" ? `${url}?mode=ro` : url, readOnly: true });
    await sql`insert into parent (id, n) values (7, 0)`.execute(app.engine.kysely);
  },
  "there is no room left": async ({ session, family }) => {
    if (family === "postgres") {
      await session.execute(sql`set local temp_file_limit = '1MB'`);
      await session.execute(sql`set local work_mem = '64kB'`);
      await session.execute(sql`select g from generate_series(1, 1000000) g order by -g`);
    } else if (family === "mysql") {
      await session.execute(sql`set max_heap_table_size = 16384`);
      await session.execute(sql`create temporary table small (t char(200)) engine = memory`);
      await session.execute(sql`insert into small select repeat('x', 200) from information_schema.collations`);
    } else {
      const pages = await session.execute<{ n: number }>(sql`select page_count as n from pragma_page_count` as never);
      await session.execute(sql.raw(`pragma max_page_count = ${pages.rows[0]!.n}`));
      await session.execute(sql`create table big (t text)`);
      await session.execute(sql`insert into big values (hex(randomblob(100000)))`);
    }
  },
  "the server takes no more connections": async ({ family, run, url, open }) => {
    const guest = await guestOf({ family, run, url });
    await run(
      family === "postgres"
        ? "alter role guest connection limit 0"
        : "alter user guest@'127.0.0.1' with max_user_connections 1",
    );
    const app = open({ url: guest });
    // The one that is let in goes on while the others are refused.
    const asked = await Promise.allSettled([ask(app.engine), ask(app.engine), ask(app.engine)]);
    for (const one of asked) if (one.status === "rejected") throw one.reason;
  },
};

function causesSession(): Session {
  return db.session;
}

async function ask(engine: Engine): Promise<unknown> {
  return sql`select 1`.execute(engine.kysely);
}

/** A user who needs a password and may only read. */
async function guestOf({ family, run, url }: Pick<Scene, "family" | "run" | "url">): Promise<string> {
  if (family === "postgres") {
    await run("drop owned by guest").catch(() => {});
    await run("drop role if exists guest");
    await run("create role guest login password 'open-sesame'");
    await run("grant select on all tables in schema public to guest");
    return url.replace("postgres@", "guest:open-sesame@");
  }
  await run("create or replace user guest@'127.0.0.1' identified by 'open-sesame'");
  await run("grant select on *.* to guest@'127.0.0.1'");
  return url.replace("root@", "guest:open-sesame@");
}

/** Takes very long, and fails when it is ended: MariaDB's `sleep` only answers earlier. */
function endless(family: FamilyName) {
  if (family === "postgres") return sql`select pg_sleep(300)`;
  const ids = sql.raw("information_schema.collations");
  return sql`select sum(length(sha2(concat(a.id, b.id, c.id), 512))) from ${ids} a, ${ids} b, ${ids} c`;
}

async function endSlowly(family: FamilyName, run: Scene["run"]): Promise<boolean> {
  if (family === "postgres") {
    const ended = await run(
      "select pg_cancel_backend(pid) from pg_stat_activity where query like 'select pg_sleep%' and state = 'active' and pid <> pg_backend_pid()",
    );
    return (ended as unknown[]).length > 0;
  }
  const found = (await run("select id from information_schema.processlist where info like 'select sum%'")) as readonly {
    readonly id: unknown;
  }[];
  for (const { id } of found) await run(`kill query ${Number(id)}`);
  return found.length > 0;
}
