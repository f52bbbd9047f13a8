import assert from "node:assert/strict";
import { sql } from "kysely";
import { createAll } from "../../src/ddl/create-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import {
  CheckViolationError,
  check,
  type DdlError,
  enumeration,
  ForeignKeyViolationError,
  type IntegrityError,
  InvalidNameError,
  index,
  integer,
  Multibind,
  NotNullViolationError,
  UniqueViolationError,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily as onEachDatabase, sessionOf, start } from "../fixtures/matrix.ts";
import { namesIn } from "./constraint-catalogue.ts";
import { onEachFamily } from "./test-database.ts";

function defined(options: ConstructorParameters<typeof Multibind>[0] = {}) {
  const db = new Multibind(options);
  db.table("owner", { id: integer().primaryKey() });
  class Thing extends db.model(
    "thing",
    {
      id: integer().primaryKey(),
      code: varchar(9).unique().named("the_code"),
      tag: varchar(9).index(),
      size: integer().default(1).check(sql`size > 0`),
      kind: enumeration(["a", "b"]).named("the_kind"),
      ownerId: integer().named("owner_id").references("owner.id"),
    },
    {
      constraints: [
        unique(["tag", "size"], { name: "my_unique" }),
        index(["size", "ownerId"], { unique: true }),
        check(sql`size < 1000`, { name: "my_check" }),
      ],
    },
  ) {}
  return { db, Thing };
}

const CHECK = "ck_thing_5726b158";

onEachFamily("constraints have names by default", async (database) => {
  const { db } = defined();
  await createAll([database.target(db)], db.metadatas);
  const names = await namesIn(database, "thing");
  assert.deepEqual(names, [
    ...(database.family === "mysql" ? ["PRIMARY"] : []),
    CHECK,
    "ck_thing_the_kind",
    "fk_thing_owner_id_owner",
    "ix_thing_size_owner_id",
    "ix_thing_tag",
    "my_check",
    "my_unique",
    ...(database.family === "mysql" ? [] : ["pk_thing"]),
    "uq_thing_the_code",
  ]);
});

onEachFamily("what was reflected keeps the names, and null gives none but those of indexes", async (database) => {
  const { db } = defined();
  await createAll([database.target(db)], db.metadatas);
  const again = new Multibind();
  await reflect([database.target(again)]);
  const table = again.metadata.tables.get("thing")!;
  assert.deepEqual(table.checks.map(({ name }) => name).sort(), [CHECK, "my_check"]);
  // A unique index is a unique constraint on MySQL.
  assert.deepEqual(table.uniques.flatMap(({ name }) => (name?.startsWith("ix_") === true ? [] : [name])).sort(), [
    "my_unique",
    "uq_thing_the_code",
  ]);
  assert.deepEqual(
    table.foreignKeys.map(({ name }) => name),
    ["fk_thing_owner_id_owner"],
  );
  const unnamed = defined({ namingConvention: null }).db;
  const renamed = unnamed.metadata.tables.get("thing")!;
  assert.ok(renamed);
  await database.run("drop table thing");
  await createAll([database.target(unnamed)], unnamed.metadatas);
  const names = await namesIn(database, "thing");
  assert.deepEqual(
    names.filter((name) => /^(pk|uq|ck|fk)_/.test(name)),
    [],
  );
  assert.deepEqual(
    ["ix_thing_tag", "my_check", "my_unique"].filter((name) => !names.includes(name)),
    [],
  );
});

onEachDatabase(
  "violated constraints name table, columns and constraint by the names that they got",
  async (t, url, family) => {
    const { db, Thing } = defined();
    const app = await start(t, db, { databaseUri: url });
    const session = sessionOf(app);
    const owner = db.metadata.tables.get("owner")!;
    await session
      .insertInto(owner)
      .values({ id: 1 } as never)
      .execute();
    await session
      .insertInto(owner)
      .values({ id: 2 } as never)
      .execute();
    const good = { id: 1, code: "c", tag: "t", size: 1, kind: "a" as const, ownerId: 1 };
    await session.insertInto(Thing).values(good).execute();
    await session.commit();
    const mysql = family === "mysql";
    const fresh = { ...good, id: 5, code: "d", tag: "u", size: 2 };
    type Case = [object, new (message: string) => IntegrityError, string | undefined, readonly string[] | undefined];
    const cases: Case[] = [
      [{ ...fresh, id: 1 }, UniqueViolationError, mysql ? "PRIMARY" : "pk_thing", ["id"]],
      [{ ...fresh, code: "c" }, UniqueViolationError, "uq_thing_the_code", ["code"]],
      [{ ...fresh, size: 1 }, UniqueViolationError, "ix_thing_size_owner_id", ["size", "ownerId"]],
      [{ ...fresh, ownerId: 2, size: 1, tag: "t" }, UniqueViolationError, "my_unique", ["tag", "size"]],
      [{ ...fresh, size: -1 }, CheckViolationError, CHECK, undefined],
      [{ ...fresh, size: 1001 }, CheckViolationError, "my_check", undefined],
      ...(family === "sqlite"
        ? []
        : ([[{ ...fresh, ownerId: 99 }, ForeignKeyViolationError, "fk_thing_owner_id_owner", ["ownerId"]]] as Case[])),
    ];
    for (const [row, ErrorClass, constraint, columns] of cases) {
      await assert.rejects(
        session
          .insertInto(Thing)
          .values(row as typeof good)
          .execute(),
        (error) => {
          assert.ok(error instanceof ErrorClass, String(error));
          assert.deepEqual(
            [error.table, error.constraint, error.columns],
            ["thing", constraint, columns],
            String(error),
          );
          return true;
        },
      );
      await session.rollback();
    }
    const raw = (column: string, value: unknown) =>
      session.execute(sql`update ${sql.table("thing")} set ${sql.id(column)} = ${value}`, { bindKey: null } as never);
    await assert.rejects(raw("the_kind", "x"), (error) => {
      assert.ok(error instanceof CheckViolationError, String(error));
      assert.deepEqual([error.table, error.constraint, error.columns], ["thing", "ck_thing_the_kind", ["kind"]]);
      return true;
    });
    await session.rollback();
    await assert.rejects(raw("the_code", null), (error) => {
      assert.ok(error instanceof NotNullViolationError, String(error));
      // It is no violation of the unique constraint over the same column.
      assert.deepEqual([error.table, error.constraint, error.columns], ["thing", undefined, ["code"]]);
      return true;
    });
    await session.rollback();
  },
);

/** What each family refuses when two constraints get one name. */
const COLLISIONS: readonly (readonly [what: string, refusedBy: readonly string[], define: (db: Multibind) => void])[] =
  [
    [
      "ix_a_b_c",
      ["sqlite", "postgres"],
      (db) => {
        db.table("a", { id: integer().primaryKey(), b_c: integer().index() });
        db.table("a_b", { id: integer().primaryKey(), c: integer().index() });
      },
    ],
    [
      "uq_a_b_c",
      ["postgres"],
      (db) => {
        db.table("a", { id: integer().primaryKey(), b_c: integer().unique() });
        db.table("a_b", { id: integer().primaryKey(), c: integer().unique() });
      },
    ],
    [
      "uq_a_b_c",
      ["sqlite", "postgres", "mysql"],
      (db) => {
        db.table(
          "a",
          { id: integer().primaryKey(), b: integer(), c: integer(), b_c: integer().unique() },
          { constraints: [unique(["b", "c"])] },
        );
      },
    ],
    [
      "fk_a_b_c_a",
      ["mysql"],
      (db) => {
        db.table("a", { id: integer().primaryKey(), b_c: integer().nullable().references("a.id") });
        db.table("a_b", { id: integer().primaryKey(), c: integer().nullable().references("a.id") });
      },
    ],
    [
      "ix_a_b",
      ["sqlite", "postgres"],
      (db) => {
        db.table("a", { id: integer().primaryKey(), b: integer().index() });
        db.table("ix_a_b", { id: integer().primaryKey() });
      },
    ],
    [
      "ix_a_b",
      ["sqlite", "postgres", "mysql"],
      (db) => {
        const constraints = [index(["c"], { name: "ix_a_b" })];
        db.table("a", { id: integer().primaryKey(), b: integer().index(), c: integer() }, { constraints });
      },
    ],
    [
      "IX_A_B",
      ["sqlite", "mysql"],
      (db) => {
        const constraints = [index(["c"], { name: "IX_A_B" })];
        db.table("a", { id: integer().primaryKey(), b: integer().index(), c: integer() }, { constraints });
      },
    ],
    [
      "ck_a_b",
      ["sqlite", "postgres", "mysql"],
      (db) => {
        const constraints = [check(sql`id > 0`, { name: "ck_a_b" })];
        db.table("a", { id: integer().primaryKey(), b: enumeration(["x"]) }, { constraints });
      },
    ],
  ];

for (const [position, [name, refusedBy, define]] of COLLISIONS.entries()) {
  onEachFamily(
    `a name that another constraint or table has is refused, or works: ${name}, ${position}`,
    async (database) => {
      const db = new Multibind();
      define(db);
      const work = createAll([database.target(db)], db.metadatas);
      if (!refusedBy.includes(database.family)) {
        await work;
        return;
      }
      await assert.rejects(work, (error) => {
        const { cause } = error as DdlError;
        assert.ok(cause instanceof InvalidNameError, String(error));
        assert.equal(cause.identifier, name);
        assert.match(cause.message, /has it already\. (Give one of them a `name`|Change `ck`)/);
        return true;
      });
      assert.deepEqual(database.sent, []);
      assert.deepEqual(await database.tables(), []);
    },
  );
}

onEachFamily("a name that is generated has at most 60 bytes", async (database) => {
  const long = `ä${"b".repeat(50)}`;
  const db = new Multibind();
  db.table(long, {
    id: integer().primaryKey(),
    [`${long}1`]: integer().unique(),
    [`${long}2`]: integer().unique(),
    [`${long}3`]: integer().index().references(`${long}.id`),
    [`${long}4`]: enumeration(["a"]),
  });
  await createAll([database.target(db)], db.metadatas);
  const names = await namesIn(database, long);
  assert.equal(names.length, 6, String(names));
  assert.equal(new Set(names).size, names.length);
  assert.deepEqual(
    names.filter((name) => Buffer.byteLength(name) > 60),
    [],
  );
});

onEachFamily("an own name that the database would cut is refused", async (database) => {
  const name = "x".repeat(65);
  const db = new Multibind();
  db.table("thing", { id: integer().primaryKey(), a: integer() }, { constraints: [unique(["a"], { name })] });
  const work = createAll([database.target(db)], db.metadatas);
  if (database.family === "sqlite") return work;
  return assert.rejects(work, (error) => {
    const { cause } = error as DdlError;
    assert.ok(cause instanceof InvalidNameError, String(error));
    assert.deepEqual([cause.identifier, cause.table], [name, "thing"]);
    return true;
  });
});
