import assert from "node:assert/strict";
import { inspect } from "node:util";
import {
  CheckViolationError,
  check,
  DatabaseError,
  ForeignKeyViolationError,
  type IntegrityError,
  integer,
  Multibind,
  NotNullViolationError,
  sql,
  text,
  UniqueViolationError,
  unique,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class User extends db.model("user", {
  id: integer().primaryKey(),
  email: varchar(80).unique().named("e_mail"),
  age: integer().nullable(),
}) {}
class Seat extends db.model(
  "seat",
  {
    id: integer().primaryKey(),
    row: varchar(40),
    number: integer(),
    userId: integer().nullable().references("user.id", { name: "fk_seat_user" }).named("user_id"),
    note: text().nullable(),
  },
  {
    constraints: [
      unique(["row", "number"], { name: "uq_seat" }),
      check(sql`number < 1000`, { name: "ck_seat_number" }),
    ],
  },
) {}

const SECRET = "s3cret-(5)-'q'";

async function filled(t: Parameters<typeof start>[0], url: string, engineOptions = {}) {
  const app = await start(t, db, { databaseUri: url, engineOptions });
  const session = sessionOf(app);
  session.addAll([new User({ id: 100, email: SECRET }), new Seat({ row: SECRET, number: 7 })]);
  await session.commit();
  return { app, session };
}

type Session = Awaited<ReturnType<typeof filled>>["session"];

async function failure(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => assert.fail("nothing failed"),
    (error: unknown) => error,
  );
}

/** All that a log could show of an error. */
function shown(error: unknown): string {
  const { message, stack, cause } = error as Error;
  const deep = { depth: 10, showHidden: true, getters: true } as const;
  const json = [JSON.stringify(error), JSON.stringify(cause), JSON.stringify({ ...(cause as object) })];
  return [message, stack, inspect(error), inspect(error, deep), String(cause), inspect(cause, deep), ...json].join(
    "\n",
  );
}

onEachFamily(
  "violated constraints name table, columns and constraint, in the entity and in Kysely's form",
  async (t, url, family) => {
    const { session } = await filled(t, url);
    const isNamed = family !== "sqlite";
    const cases: [new (message: string) => IntegrityError, object, (session: Session) => Promise<unknown>][] = [
      [
        UniqueViolationError,
        { table: "user", column: "email", columns: ["email"] },
        async () => {
          session.add(new User({ email: SECRET }));
          await session.commit();
        },
      ],
      [
        UniqueViolationError,
        { table: "seat", columns: ["row", "number"], constraint: "uq_seat" },
        () => session.insertInto(Seat).values({ row: SECRET, number: 7 }).execute(),
      ],
      [
        UniqueViolationError,
        { table: "user", column: "id", columns: ["id"] },
        () => session.insertInto(User).values({ id: 100, email: "other" }).execute(),
      ],
      [
        NotNullViolationError,
        { table: "user", column: "email", columns: ["email"] },
        () => session.execute(sql`update ${User.table} set e_mail = null`),
      ],
      [
        NotNullViolationError,
        { table: "user", column: "email", columns: ["email"] },
        async () => {
          session.add(new User({} as never));
          await session.flush();
        },
      ],
      [
        CheckViolationError,
        { constraint: "ck_seat_number", ...(isNamed ? { table: "seat" } : {}) },
        () => session.insertInto(Seat).values({ row: SECRET, number: 1234 }).execute(),
      ],
      [
        ForeignKeyViolationError,
        isNamed ? { table: "seat", column: "userId", columns: ["userId"], constraint: "fk_seat_user" } : {},
        () => session.insertInto(Seat).values({ row: "b", number: 1, userId: 4321 }).execute(),
      ],
    ];
    for (const [ErrorClass, fields, work] of cases) {
      const error = await failure(() => work(session));
      assert.ok(error instanceof ErrorClass, String(error));
      for (const [name, value] of Object.entries(fields))
        assert.deepEqual(error[name as "table"], value, `${error.message} ${name}`);
      await session.rollback();
    }
  },
);

const bad = (value: string) => sql<never>`${value}`;

onEachFamily("no error shows a value of the statement", async (t, url, family) => {
  const { app, session } = await filled(t, url);
  const failures: Record<string, () => Promise<unknown>> = {
    "a duplicate entity": async () => {
      session.add(new User({ email: SECRET }));
      await session.commit();
    },
    "duplicates by the dozen": async () => {
      session.addAll(Array.from({ length: 20 }, () => new User({ email: SECRET })));
      await session.commit();
    },
    "a duplicate key of two columns": () => session.insertInto(Seat).values({ row: SECRET, number: 7 }).execute(),
    "a failing row": () => session.insertInto(Seat).values({ row: SECRET, number: 98765 }).execute(),
    "a reference to nothing": () =>
      session.insertInto(Seat).values({ row: SECRET, number: 2, userId: 98765 }).execute(),
    "a cast": () =>
      session.execute(
        family === "postgres"
          ? sql`select cast(${SECRET}::text as integer)`
          : family === "mysql"
            ? sql`insert into ${User.table} (e_mail, age) values ('x', ${SECRET})`
            : sql`select json(${SECRET})`,
      ),
    "an expression": () =>
      session
        .updateTable(User)
        .set({ age: bad(SECRET) })
        .where(sql<boolean>`nope(${SECRET})`)
        .execute(),
    "a value that does not fit": async () => {
      session.add(new User({ email: SECRET, age: 98765432109 }));
      await session.flush();
    },
    "a value in a comparison": () =>
      session
        .select(User)
        .where("age", "=", SECRET as never)
        .all(),
    "a key": () => session.getOne(User, 98765),
    "an engine's own statement": () => app.engine.kysely.insertInto(User).values({ email: SECRET }).execute(),
  };
  for (const [what, work] of Object.entries(failures)) {
    const error = await failure(work);
    const text = shown(error);
    assert.ok(!text.includes("s3cret") && !text.includes("98765"), `${what}: ${text}`);
    await session.rollback();
  }
});

onEachFamily("showValues shows what the database says, for development", async (t, url, family) => {
  const { session } = await filled(t, url, { showValues: true });
  const error = await failure(() => session.insertInto(User).values({ email: SECRET }).execute());
  assert.ok(error instanceof DatabaseError);
  assert.equal(inspect(error).includes("s3cret"), family !== "sqlite");
});

onEachFamily("a hidden value leaves what else an error says", async (t, url, family) => {
  const { session } = await filled(t, url);
  const error = await failure(() => session.insertInto(User).values({ email: SECRET }).execute());
  assert.ok(error instanceof UniqueViolationError);
  const cause = error.cause as { code?: string; errno?: number; detail?: string };
  if (family === "postgres") {
    assert.equal(cause.code, "23505");
    assert.equal(cause.detail, "Key (e_mail)=(…) already exists.");
  } else if (family === "mysql") {
    assert.equal(cause.errno, 1062);
    assert.match(error.message, /Duplicate entry '…' for key/);
  }
  assert.match(error.sql!, /insert into/);
});
