import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import {
  EndedTransactionError,
  FailedTransactionError,
  type FamilyName,
  integer,
  Multibind,
  OperationalError,
  ProgrammingError,
  SessionError,
  sql,
  stateOf,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { onEachFamily, record, sessionOf, start, verbs } from "../fixtures/matrix.ts";

const db = new Multibind();
class Row extends db.model("row_", { id: integer().primaryKey(), name: varchar(20) }) {}

/** An application on a database of its own, which ends before the database does. */
async function setUp(t: TestContext, family: FamilyName) {
  const ends: (() => unknown)[] = [];
  const url = await freshDatabase({ after: (end) => void ends.push(end as () => unknown) }, family);
  const app = db.init({ databaseUri: url });
  const session = app.session();
  t.after(async () => {
    await session.close();
    await app.dispose();
    for (const end of ends) await end();
  });
  await app.createAll();
  const names = async () => {
    await using reader = app.session();
    return await reader.select(Row).orderBy("id").pluck("name");
  };
  return { app, session, names };
}

const COMMANDS: Readonly<Record<FamilyName, readonly string[]>> = {
  sqlite: ["commit", "END transaction", "rollback", "begin immediate", "savepoint a", "release a", "[x]; commit"],
  postgres: [
    ...["commit", "end", "ABORT work", "begin", "start transaction", "savepoint a", "release a", "rollback to a"],
    ...[
      "/* /* nested */ */ -- more\n commit",
      "select ';'; commit and chain",
      "select $a$;$a$, e'\\';'; commit; begin",
    ],
    ...["prepare transaction 'x'", "commit prepared 'x'", '; ;"x";rollback', "select 1 /* ; */ ;\n\tCommit"],
  ],
  mysql: [
    ...["commit", "ROLLBACK", "begin", "begin work", "start transaction", "savepoint a", "xa end 'x'", "rollback to a"],
    ...[
      "# comment\n commit",
      "/* ; */ commit",
      "/*!50000 commit */",
      "/*M! commit */",
      "-- \ncommit",
      "set autocommit = 0",
    ],
    ...[
      "lock tables row_ write",
      "unlock tables",
      "set @a = 1, @@session.autocommit = 1",
      "select '\\';', `;`; commit",
    ],
  ],
};

onEachFamily("a transaction command as SQL text is refused before it is sent", async (t, _, family) => {
  const { app, session, names } = await setUp(t, family);
  const sent = record(app);
  const one = new Row({ name: "one" });
  session.add(one);
  await session.flush();
  const before = sent.length;
  for (const command of COMMANDS[family]) {
    const refused = { constructor: SessionError, bindKey: null };
    await assert.rejects(session.execute(sql.raw(command)), refused, command);
    await assert.rejects(session.execute(sql.raw(command), { readOnly: true }), refused, command);
    await assert.rejects(sql.raw(command).execute(session.kysely(null)), refused, command);
  }
  assert.equal(sent.length, before);
  assert.equal(session.isActive, true, "nothing has failed");
  await session.rollback();
  assert.equal(stateOf(one), "transient");
  await assert.rejects(
    session.execute(sql.raw(COMMANDS[family][0]!)),
    SessionError,
    "outside of a transaction as well",
  );
  assert.deepEqual(await names(), []);
});

onEachFamily("text that only looks like a transaction command is sent", async (t, _, family) => {
  const { session, names } = await setUp(t, family);
  const texts = {
    sqlite: [
      "create trigger tr after insert on row_ begin update row_ set name = case when 1 then name end; end",
      "select 'x; commit' as \"begin; commit\" -- ; commit",
    ],
    postgres: [
      "create function f() returns int language sql begin atomic select case when true then 1 end; select 2; end",
      "do $$ begin perform 1; end $$; select 1 /* ; commit */",
      "prepare p as select 1; deallocate p",
    ],
    mysql: ["select 'x\\'; commit' as `begin; commit` # ; commit", "prepare p from 'select 1'", "drop prepare p"],
  };
  session.add(new Row({ name: "one" }));
  await session.flush();
  for (const text of texts[family]) await session.execute(sql.raw(text));
  await session.commit();
  assert.deepEqual(await names(), ["one"]);
});

const IMPLICIT = [
  ...["create table other (id integer)", "/* a */ drop table if exists other", "alter table row_ add x int"],
  ...["truncate row_", "create index i on row_ (name)", "rename table row_ to b", "set password = ''", "flush tables"],
  ...["grant select on *.* to nobody", "analyze table row_", "/*! create table other (id int) */", "start slave"],
];

onEachFamily(
  "a statement before which the database commits is refused within an explicit transaction, and runs outside of one",
  async (t, _, family) => {
    const { app, session, names } = await setUp(t, family);
    const refused = { constructor: UnsupportedError, bindKey: null };
    const sent = record(app);
    session.add(new Row({ name: "one" }));
    await session.flush();
    const nested = await session.beginNested();
    const before = sent.length;
    for (const statement of IMPLICIT) await assert.rejects(session.execute(sql.raw(statement)), refused, statement);
    await assert.rejects(
      session.kysely(null).schema.createTable("other").addColumn("id", "integer").execute(),
      refused,
    );
    await assert.rejects(session.kysely(null).schema.dropTable("row_").execute(), refused);
    assert.equal(sent.length, before);
    session.add(new Row({ name: "two" }));
    await nested.commit();
    await session.execute(sql`create temporary table passing (id integer)`);
    await session.rollback();
    assert.deepEqual(await names(), []);

    session.begin();
    await assert.rejects(session.execute(sql`create table other (id integer)`), refused);
    await session.rollback();
    await session.execute(sql`create table other (id integer)`);
    assert.equal(session.inTransaction, false);
    await session.kysely(null).schema.dropTable("other").execute();
    assert.equal(session.inTransaction, false);
  },
  ["mysql"],
);

onEachFamily(
  "a statement before which the database commits runs beside a transaction that only the session has begun",
  async (t, _, family) => {
    const { session, names } = await setUp(t, family);
    const one = new Row({ name: "one" });
    session.add(one);
    await session.flush();
    await session.execute(sql`create table other (id integer)`);
    session.add(new Row({ name: "two" }));
    await session.kysely(null).schema.createTable("another").addColumn("id", "integer").execute();
    assert.equal(session.inTransaction, true);
    await session.rollback();
    assert.equal(session.stateOf(one), "transient");
    assert.deepEqual(await names(), []);
    for (const table of ["other", "another"])
      await session.execute(sql`drop table ${sql.table(table)}`, { bindKey: null });
    session.add(new Row({ name: "three" }));
    await session.flush();
    await assert.rejects(session.execute(sql`alter table row_ add x int`), { code: "SELF_DEADLOCK" });
    await session.rollback();
    assert.deepEqual(await names(), []);
  },
  ["mysql"],
);

onEachFamily(
  "where tables are made in transactions, that is undone with the rest",
  async (t, _, family) => {
    const { session, names } = await setUp(t, family);
    session.add(new Row({ name: "one" }));
    await session.flush();
    await session.execute(sql`create table other (id integer)`);
    await session.kysely(null).schema.createTable("another").addColumn("id", "integer").execute();
    await session.rollback();
    assert.deepEqual(await names(), []);
    await assert.rejects(session.execute(sql`select * from other`), ProgrammingError);
    await session.rollback();
    await assert.rejects(session.execute(sql`select * from another`), ProgrammingError);
  },
  ["sqlite", "postgres"],
);

const PROCEDURES = {
  commits: "begin insert into row_ (name) values ('procedure'); commit; end",
  "commits and begins anew": "begin commit; start transaction; end",
  "commits and fails": "begin commit; signal sqlstate '45000'; end",
  "makes a table": "begin create table if not exists made (id int); start transaction; end",
} as const;

for (const [what, body] of Object.entries(PROCEDURES)) {
  onEachFamily(
    `a procedure that ${what} is found out, and rollback does not say that it undid anything`,
    async (t, _, family) => {
      const { app, session, names } = await setUp(t, family);
      await sql.raw(`create procedure p() ${body}`).execute(app.engine.kysely);
      const one = new Row({ name: "one" });
      session.add(one);
      await session.flush();
      await assert.rejects(session.execute(sql`call p()`), {
        constructor: EndedTransactionError,
        sql: "call p()",
        bindKey: null,
      });
      await assert.rejects(
        session.flush().then(() => session.select(Row).all()),
        FailedTransactionError,
      );
      await assert.rejects(session.commit(), FailedTransactionError);
      await assert.rejects(session.rollback(), EndedTransactionError);
      assert.equal(stateOf(one), "detached");
      assert.equal((await names()).includes("one"), true);

      session.add(new Row({ name: "next" }));
      await session.commit();
      assert.equal((await names()).includes("next"), true, "the session goes on");
    },
    ["mysql"],
  );
}

onEachFamily(
  "a savepoint that a procedure has ended is not rolled back to",
  async (t, _, family) => {
    const { app, session, names } = await setUp(t, family);
    await sql`create procedure p() begin commit; start transaction; end`.execute(app.engine.kysely);
    const outer = new Row({ name: "outer" });
    session.add(outer);
    const nested = await session.beginNested();
    const inner = new Row({ name: "inner" });
    session.add(inner);
    await session.flush();
    await assert.rejects(session.execute(sql`call p()`), EndedTransactionError);
    await assert.rejects(nested.rollback(), EndedTransactionError);
    assert.deepEqual([stateOf(inner), session.isActive], ["detached", false]);
    await assert.rejects(session.rollback(), EndedTransactionError);
    assert.equal(stateOf(outer), "detached");
    assert.deepEqual(await names(), ["outer", "inner"]);
    await assert.rejects(
      session.transaction((tx) => tx.execute(sql`call p()`)),
      EndedTransactionError,
    );
    assert.equal(session.inTransaction, false);
  },
  ["mysql"],
);

onEachFamily(
  "a procedure that leaves the transaction open is part of it",
  async (t, _, family) => {
    const { app, session, names } = await setUp(t, family);
    await sql`create procedure p() begin insert into row_ (name) values ('p'); select 1 as one; end`.execute(
      app.engine.kysely,
    );
    await sql`create procedure f() begin insert into row_ (name) values ('f'); signal sqlstate '45000'; end`.execute(
      app.engine.kysely,
    );
    await session.execute(sql`call p()`);
    await session.rollback();
    assert.deepEqual(await names(), []);
    session.add(new Row({ name: "one" }));
    await session.flush();
    await session.execute(sql`call p()`);
    const nested = await session.beginNested();
    await assert.rejects(session.execute(sql`call f()`), ProgrammingError);
    await nested.rollback();
    await session.execute(sql`execute immediate 'insert into row_ (name) values (''dynamic'')'`);
    await session.commit();
    assert.deepEqual(await names(), ["one", "p", "dynamic"]);
    await assert.rejects(session.execute(sql`execute immediate 'truncate table row_'`), EndedTransactionError);
    await assert.rejects(session.rollback(), EndedTransactionError);
  },
  ["mysql"],
);

onEachFamily("a transaction of `engine.kysely` refuses the same, and says the same", async (t, _, family) => {
  const { app, names } = await setUp(t, family);
  const { kysely } = app.engine;
  const insert = (name: string) => sql`insert into row_ (name) values (${name})`;
  for (const command of COMMANDS[family]) {
    const run = kysely.transaction().execute(async (trx) => {
      await insert("one").execute(trx);
      await sql.raw(command).execute(trx);
    });
    await assert.rejects(run, SessionError, command);
  }
  assert.deepEqual(await names(), []);
  // On a connection of one's own they are the only way.
  await kysely.connection().execute(async (connection) => {
    for (const end of ["rollback", "commit"]) {
      await sql`begin`.execute(connection);
      await insert(end).execute(connection);
      await sql.raw(end).execute(connection);
    }
  });
  assert.deepEqual(await names(), ["commit"]);
  if (family !== "mysql") return;
  const ddl = kysely.transaction().execute((trx) => trx.schema.dropTable("row_").execute());
  await assert.rejects(ddl, UnsupportedError);
  await sql`create procedure p() commit`.execute(kysely);
  const call = kysely.transaction().execute(async (trx) => {
    await sql`call p()`.execute(trx);
  });
  await assert.rejects(call, EndedTransactionError);
  const swallowed = kysely.transaction().execute(async (trx) => {
    await sql`call p()`.execute(trx).catch(() => {});
  });
  await assert.rejects(swallowed, EndedTransactionError);
});

onEachFamily(
  "a commit after a failed statement is not said to be one",
  async (t, _, family) => {
    const { app, names } = await setUp(t, family);
    const run = app.engine.kysely.transaction().execute(async (trx) => {
      await sql`insert into row_ (name) values ('one')`.execute(trx);
      await sql`select nonsense`.execute(trx).catch(() => {});
    });
    await assert.rejects(run, OperationalError);
    assert.deepEqual(await names(), []);
  },
  ["postgres"],
);

onEachFamily(
  "a two-phase transaction ends by no command of SQL text either",
  async (t, url, family) => {
    const own = new Multibind<"other">();
    class Here extends own.model("here", { id: integer().primaryKey() }) {}
    class There extends own.model("there", { id: integer().primaryKey() }, { bindKey: "other" }) {}
    const app = await start(t, own, {
      databaseUri: url,
      binds: { other: await freshDatabase(t, family) },
      decisionBind: null,
    });
    const session = sessionOf(app, { commitPolicy: "twoPhase" });
    await sql`create procedure p() commit`.execute(app.engines.get("other").kysely);
    await sql`create or replace procedure p() commit`.execute(app.engine.kysely);
    for (const bindKey of [null, "other"] as const) {
      session.addAll([new Here({}), new There({})]);
      await session.flush();
      await session.execute(sql`create table if not exists x (id int)`, { bindKey });
      await assert.rejects(session.execute(sql`call p()`, { bindKey }));
      await session.rollback().catch(() => {});
    }
    assert.equal(await sessionOf(app).select(There).count(), 0, "the server lets no command end a branch");
    session.addAll([new Here({}), new There({})]);
    await session.commit();
    assert.equal(await sessionOf(app).select(There).count(), 1);
    await sql`drop table x`.execute(app.engine.kysely);
    await sql`drop procedure p`.execute(app.engine.kysely);
  },
  ["mysql"],
);

onEachFamily("statements of a transaction send nothing more for it", async (t, _, family) => {
  const { app, session } = await setUp(t, family);
  const sent = record(app);
  session.add(new Row({ name: "one" }));
  await session.flush();
  await session.execute(sql`update row_ set name = 'two'`);
  await session.updateTable(Row).set({ name: "three" }).execute();
  await session.commit();
  assert.deepEqual(verbs(sent).slice(1), ["insert", "update", "update", "commit"]);
});
