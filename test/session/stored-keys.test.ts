import assert from "node:assert/strict";
import type { FamilyName } from "../../src/index.ts";
import { char, integer, keyOf, Multibind, SessionError, sql, stateOf, timestamp, varchar } from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Plain extends db.model("stored_plain", { code: varchar(20).primaryKey(), name: varchar(20) }) {}
class Filled extends db.model("stored_filled", { code: varchar(20).primaryKey(), n: integer().default(sql`5`) }) {}
class Pair extends db.model("stored_pair", {
  left: varchar(20).primaryKey(),
  right: integer().primaryKey(),
  n: integer().default(sql`5`),
}) {}
class Child extends db.model("stored_child", {
  id: integer().primaryKey(),
  plain: varchar(20).references("stored_plain.code"),
}) {}
class Base extends db.model(
  "stored_base",
  { code: varchar(20).primaryKey(), kind: varchar(5) },
  { discriminator: "kind" },
) {}
class Joined extends Base.extend(
  "stored_joined",
  { code: varchar(20).primaryKey().references("stored_base.code"), size: integer() },
  { identity: "join" },
) {
  static {
    db.register(Joined);
  }
}

/** The trigger that writes a key in lower case. */
function lowering(family: FamilyName, table: string, column: string): readonly string[] {
  if (family === "mysql")
    return [
      `create trigger ${table}_lower before insert on ${table} for each row set new.${column} = lower(new.${column})`,
    ];
  return [
    `create or replace function ${table}_lower() returns trigger language plpgsql as $$ begin new.${column} := lower(new.${column}); return new; end $$`,
    `create trigger ${table}_lower before insert on ${table} for each row execute function ${table}_lower()`,
  ];
}

const SERVERS: readonly FamilyName[] = ["postgres", "mysql"];

onEachFamily(
  "a key that a trigger changes is the entity's",
  async (t, url, family) => {
    const app = await start(t, db, { databaseUri: url });
    const run = (text: string) => sql.raw(text).execute(app.engines.get(null).kysely);
    for (const [table, column] of [
      ["stored_plain", "code"],
      ["stored_filled", "code"],
      ["stored_pair", "left"],
      ["stored_base", "code"],
    ] as const) {
      const quoted = column === "left" ? (family === "mysql" ? "`left`" : '"left"') : column;
      for (const statement of lowering(family, table, quoted)) await run(statement);
    }
    const session = sessionOf(app);

    const one = new Plain({ code: "ONE", name: "a" });
    session.add(one);
    await session.commit();
    assert.equal(one.code, "one");
    assert.equal(await session.get(Plain, "one"), one);

    const several = ["B", "A", "C"].map((code) => new Plain({ code, name: code }));
    session.addAll(several);
    await session.commit();
    assert.deepEqual(
      several.map(({ code, name }) => `${code}${name}`),
      ["bB", "aA", "cC"],
    );
    for (const plain of several) plain.name = "changed";
    await session.commit();
    assert.equal(await session.select(Plain).where("name", "=", "changed").count(), 3);

    const filled = ["F", "E"].map((code) => new Filled({ code }));
    session.addAll(filled);
    await session.commit();
    assert.deepEqual(
      filled.map(({ code, n }) => [code, n]),
      [
        ["f", 5],
        ["e", 5],
      ],
    );

    const pairs = [2, 1].map((right) => new Pair({ left: "P", right }));
    session.addAll(pairs);
    await session.commit();
    assert.deepEqual(
      pairs.map(({ left, right, n }) => [left, right, n]),
      [
        ["p", 2, 5],
        ["p", 1, 5],
      ],
    );
    assert.equal(await session.get(Pair, { left: "p", right: 1 }), pairs[1]);

    const parent = new Plain({ code: "PARENT", name: "x" });
    const child = new Child({ plain: keyOf(parent, "code") });
    session.addAll([parent, child]);
    await session.commit();
    assert.equal(child.plain, "parent");

    const joined = ["J", "K"].map((code, size) => new Joined({ code, size }));
    session.addAll(joined);
    await session.commit();
    assert.deepEqual(
      joined.map(({ code }) => code),
      ["j", "k"],
    );
    assert.equal((await sessionOf(app).getOne(Joined, "k")).size, 1);

    const undone = new Plain({ code: "UNDONE", name: "x" });
    session.add(undone);
    await session.flush();
    assert.equal(undone.code, "undone");
    await session.rollback();
    assert.equal(undone.code, "UNDONE");
    assert.equal(stateOf(undone), "transient");
  },
  SERVERS,
);

const spaced = new Multibind();
class Padded extends spaced.model("stored_padded", { code: char(6).primaryKey(), at: timestamp().primaryKey() }) {}

onEachFamily(
  "a key that its column's type changes is the entity's",
  async (t, url, family) => {
    const app = spaced.init({ databaseUri: url });
    t.after(() => app.dropAll().finally(() => app.dispose()));
    const run = (text: string) => sql.raw(text).execute(app.engines.get(null).kysely);
    await run("drop table if exists stored_padded");
    const instant = family === "mysql" ? "datetime" : "timestamptz(0)";
    await run(`create table stored_padded (code char(6), at ${instant}, primary key (code, at))`);
    const session = app.session();
    const at = new Date("2026-07-01T12:00:00.100Z");
    const padded = ["a  ", "b"].map((code) => new Padded({ code, at }));
    session.addAll(padded);
    await session.commit();
    const last = new Padded({ code: "c ", at });
    session.add(last);
    await session.commit();
    t.after(() => session.close());
    for (const [index, code] of ["a", "b", "c"].entries()) {
      const stored = { code, at: new Date("2026-07-01T12:00:00.000Z") };
      const entity = [...padded, last][index]!;
      assert.deepEqual({ ...entity }, stored);
      assert.equal(await session.get(Padded, stored), entity);
    }
  },
  SERVERS,
);

const skipping = new Multibind();
class Skipped extends skipping.model("stored_skipped", { id: integer().primaryKey(), name: varchar(20) }) {}
class Named extends skipping.model("stored_named", { name: varchar(20).primaryKey() }) {}

onEachFamily(
  "a row that a trigger leaves out is told",
  async (t, url, family) => {
    const app = await start(t, skipping, { databaseUri: url });
    const run = (text: string) => sql.raw(text).execute(app.engines.get(null).kysely);
    for (const table of ["stored_skipped", "stored_named"]) {
      if (family === "sqlite") {
        await run(
          `create trigger ${table}_skip before insert on ${table} when new.name = 'skip' begin select raise(ignore); end`,
        );
        continue;
      }
      await run(
        `create or replace function ${table}_skip() returns trigger language plpgsql as $$ begin if new.name = 'skip' then return null; end if; return new; end $$`,
      );
      await run(`create trigger ${table}_skip before insert on ${table} for each row execute function ${table}_skip()`);
    }
    for (const names of [["skip"], ["a", "skip"], ["skip", ...Array.from({ length: 60 }, (_, n) => `n${n}`)]]) {
      for (const make of [(name: string) => new Skipped({ name }), (name: string) => new Named({ name })]) {
        // SQLite has no keys of its own to give back there, and says how many rows it has stored.
        if (family === "sqlite" && make("x") instanceof Named) continue;
        const session = sessionOf(app);
        session.addAll(names.map(make));
        await assert.rejects(session.flush(), SessionError);
        await session.rollback();
      }
    }
  },
  ["sqlite", "postgres"],
);
