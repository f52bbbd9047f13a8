import {
  type Application,
  alias,
  foreignKey,
  integer,
  json,
  keyOf,
  Multibind,
  select,
  sql,
  text,
  timestamp,
  unique,
  varchar,
} from "../../src/index.ts";

// biome-ignore lint/suspicious/noExplicitAny: many of these mistakes are refused by the types, and made in JavaScript
type Untyped = any;

const typed = new Multibind({ name: "shop" });
const db: Untyped = typed;

const User: Untyped = class User extends typed.model("user", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  age: integer().nullable(),
}) {};
const Post: Untyped = class Post extends typed.model("post", {
  id: integer().primaryKey(),
  userId: integer().references("user.id"),
  title: text(),
  tags: json().nullable(),
}) {};
const Login: Untyped = class Login extends typed.model(
  "login",
  { id: integer().primaryKey(), at: timestamp() },
  { bindKey: "auth" },
) {};
const Member: Untyped = class Member extends typed.model("member", {
  userId: integer().primaryKey(),
  groupId: integer().primaryKey(),
}) {};
const Vehicle: Untyped = class Vehicle extends typed.model(
  "vehicle",
  { id: integer().primaryKey(), kind: varchar(10) },
  { discriminator: "kind", identity: "vehicle" },
) {};

/** ExecutionContext of a mistake: tables that exist, users 1 and 2. */
export interface ExecutionContext {
  readonly app: Application;
  readonly session: Untyped;
}

/** Makes a mistake. */
export type Mistake = (executionContext: ExecutionContext) => unknown;

const init = (configuration: unknown) => (new Multibind() as Untyped).init(configuration);
const fresh = (): Untyped => new Multibind();

export { db as mistakesDb };

/** The first mistakes of a new user, by room. */
export const MISTAKES: Readonly<Record<string, Readonly<Record<string, Mistake>>>> = {
  Configuration: {
    "A misspelt option": () => init({ databaseUlr: "sqlite://", bind: {} }),
    "A misspelt option of an engine": () => init({ databaseUri: "sqlite://", engineOptions: { poolSzie: 5 } }),
    "A URL without a scheme": () => init({ databaseUri: "localhost/shop" }),
    "A URL of an unknown database": () => init({ databaseUri: "oracle://scott:tiger@localhost/shop" }),
    "A relative path with two slashes": () => init({ databaseUri: "sqlite://app.db" }),
    "A port that is not a number": () => init({ databaseUri: "postgresql://app:secret@localhost:port/shop" }),
    "A time in milliseconds": () => init({ databaseUri: "sqlite://", engineOptions: { poolTimeout: 30_000 } }),
    "A pool size of zero": () => init({ databaseUri: "sqlite://", engineOptions: { poolSize: 0 } }),
    "A URL for the binds": () => init({ binds: "sqlite://" }),
    "No configuration": () => init(undefined),
    "A bind without URL": () => init({ binds: { auth: {} } }),
    "The application after its end": async () => {
      const app = init({ databaseUri: "sqlite://" });
      await app.dispose();
      await app.run(() => undefined);
    },
  },
  "Models and tables": {
    "A model without primary key": () => fresh().model("log", { line: text() }),
    "A type that is not called": () => fresh().table("log", { id: integer }),
    "A name twice": () => {
      const own = fresh();
      own.table("user", { id: integer().primaryKey() });
      own.table("user", { id: integer().primaryKey() });
    },
    "A foreign key to a table that does not exist": () => {
      const own = fresh();
      own.table("post", { id: integer().primaryKey(), userId: integer().references("users.id") });
      own.init({ databaseUri: "sqlite://" });
    },
    "A foreign key to another database": () => {
      const own = fresh();
      own.table("user", { id: integer().primaryKey() }, { bindKey: "auth" });
      own.table("post", { id: integer().primaryKey(), userId: integer().references("user.id") });
      own.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" } });
    },
    "A foreign key without a column": () => fresh().table("post", { userId: integer().references("user") }),
    "A unique constraint of an unknown column": () =>
      fresh().table("user", { id: integer().primaryKey() }, { constraints: [unique(["nmae"])] }),
    "A foreign key of an unknown column": () =>
      fresh().table("user", { id: integer().primaryKey() }, { constraints: [foreignKey(["usrId"], "user", ["id"])] }),
    "A misspelt option of a model": () => fresh().model("user", { id: integer().primaryKey() }, { bind: "auth" }),
    "A class field that hides a column": () => {
      const own = fresh();
      const Hidden: Untyped = class Hidden extends own.model("hidden", { id: integer().primaryKey(), name: text() }) {
        name = "";
      };
      return own.init({ databaseUri: "sqlite://" }).run(() => own.session.add(new Hidden({ name: "ada" })));
    },
    "A child without identity": () => Vehicle.extend({ doors: integer() }),
    "A URL as bind key": () =>
      fresh().model("user", { id: integer().primaryKey() }, { bindKey: "postgresql://app:secret@localhost/shop" }),
  },
  "Binds and contexts": {
    "The session outside of a context": () => fresh().session,
    "createAll outside of a context": () => fresh().createAll(),
    "A bind key without engine": ({ session }) => session.execute(sql`select 1`, { bindKey: "atuh" }),
    "An engine without configuration": ({ app }) => (app.engines as Untyped).get("atuh"),
    "A model of another database in a join": ({ session }) =>
      session.selectFrom(User).innerJoin(Login, "login.id", "user.id").select("user.id").execute(),
    "A bind key beside a model of another": ({ session }) =>
      session.execute(sql`select * from ${Login.table}`, { bindKey: null }),
    "A model of another Multibind": ({ session }) => {
      const own: Untyped = new Multibind({ name: "billing" });
      class Other extends own.model("other", { id: integer().primaryKey() }) {}
      return session.select(Other).all();
    },
    "A forgotten await in app.run": ({ app }) => {
      let late: unknown;
      return app
        .run(async () => {
          late = (async () => {
            await Promise.resolve();
            await new Promise((resolve) => setImmediate(resolve));
            await db.session.select(User).all();
          })();
          (late as Promise<unknown>).catch(() => {});
        })
        .then(() => late);
    },
    "createAll of an unknown bind": ({ app }) => (app as Untyped).createAll({ bindKey: "atuh" }),
  },
  "Columns and values": {
    "A column that does not exist": ({ session }) => session.select(User).where("nmae", "=", "ada").all(),
    "A condition on a column that does not exist": ({ session }) => session.select(User).where({ nmae: "ada" }).all(),
    "A new entity with an unknown column": () => new User({ nmae: "ada" }),
    "An update of a column that does not exist": ({ session }) =>
      session.updateTable(User).set({ nmae: "ada" }).execute(),
    "A table that is not in the statement": ({ session }) =>
      session.select(User).where("post.title", "=", "first").all(),
    "An alias that is misspelt": ({ session }) =>
      session.select(alias(User, "author")).where("auhtor.id", "=", 1).all(),
    "undefined in a condition": ({ session }) => session.select(User).where({ name: undefined }).all(),
    "undefined in an update": ({ session }) => session.updateTable(User).set({ age: undefined }).execute(),
    "Text for a number": ({ session }) => session.select(User).where("id", "=", "1").all(),
    "A number for text": async ({ session }) => {
      session.add(new User({ name: 7 }));
      await session.flush();
    },
    "Text that is too long": async ({ session }) => {
      session.add(new User({ name: "a name that is longer than it may be" }));
      await session.flush();
    },
    "A number out of range": ({ session }) => session.get(User, 2 ** 40),
    "A fraction in an integer": async ({ session }) => {
      session.add(new User({ name: "ada", age: 36.5 }));
      await session.flush();
    },
    "Text for a timestamp": async ({ session }) => {
      session.add(new Login({ at: "2026-01-01" }));
      await session.flush();
    },
    "A function in JSON": async ({ session }) => {
      session.add(new Post({ userId: 1, title: "first", tags: { run: () => 1 } }));
      await session.flush();
    },
    "A missing value": async ({ session }) => {
      session.add(new User({ age: 36 }));
      await session.flush();
    },
  },
  "Keys and entities": {
    "A key that is not given": ({ session }) => session.get(User, undefined),
    "One value for a composite key": ({ session }) => session.get(Member, 1),
    "A row that does not exist": ({ session }) => session.getOne(User, 99),
    "A plain object in the session": ({ session }) => session.add({ name: "ada" }),
    "A list in the session": ({ session }) => session.add([new User({ name: "ada" })]),
    "An entity of another tab": async ({ app, session }) => {
      const user = await session.get(User, 1);
      const other = app.session();
      try {
        (other as Untyped).add(user);
      } finally {
        await other.close();
      }
    },
    "Deleting an entity that was never stored": ({ session }) => session.delete(new User({ name: "ada" })),
    "Refreshing an entity that was never stored": ({ session }) => session.refresh(new User({ name: "ada" })),
    "Changing a row that was deleted elsewhere": async ({ app, session }) => {
      const user = await session.get(User, 2);
      await app.transaction(async () => {
        await db.session.deleteFrom(User).where("id", "=", 2).execute();
      });
      user.name = "grace";
      await session.commit();
    },
    "The key of an entity without id": () => keyOf(new Member({ userId: 1, groupId: 1 }) as Untyped),
    "A class instead of an entity": ({ session }) => session.add(User),
  },
  Queries: {
    "A write that is not executed": async ({ session }) => await session.insertInto(User).values({ name: "ada" }),
    "An insert without values": ({ session }) => session.insertInto(User).execute(),
    "An insert of an empty list": ({ session }) => session.insertInto(User).values([]).execute(),
    "An update that sets nothing": ({ session }) => session.updateTable(User).set({}).execute(),
    "A condition without operator": ({ session }) => session.select(User).where("name", "ada").all(),
    "A condition that is only a column": ({ session }) => session.select(User).where("name").all(),
    "An operator that does not exist": ({ session }) => session.select(User).where("name", "equals", "ada").all(),
    "A join without condition": ({ session }) =>
      session
        .selectFrom(User)
        .innerJoin(Post, (join: Untyped) => join)
        .select("user.id")
        .execute(),
    "A direction that does not exist": ({ session }) =>
      session.selectFrom(User).selectAll().orderBy("id", "down").execute(),
    "A limit of text": ({ session }) => session.select(User).limit("10").all(),
    "A page that does not exist": ({ session }) => session.select(User).paginate({ page: 0 }),
    "A page beyond the last": ({ session }) => session.select(User).paginate({ page: 99 }),
    "A cursor of another query": ({ session }) => session.select(User).keyset({ after: "abc" }),
    "Several rows where there must be one": ({ session }) => session.select(User).one(),
    "No row where there must be one": ({ session }) => session.select(User).where("id", "=", 99).one(),
    "A select without session": () => (select(User) as Untyped).all(),
    "A statement as plain text": ({ session }) => session.execute("select 1"),
    "A table that no model has": ({ session }) => session.execute(sql`select * from usr`),
    "A syntax error": ({ session }) => session.execute(sql`selct 1`),
    "A prepared statement without its parameter": ({ app }) =>
      app.run(() => db.prepare((p: Untyped) => (select(User) as Untyped).where("id", "=", p("id"))).all({})),
    "A prepared statement with an unknown parameter": ({ app }) =>
      app.run(() =>
        db.prepare((p: Untyped) => (select(User) as Untyped).where("id", "=", p("id"))).all({ id: 1, nmae: 2 }),
      ),
    "A lock that SQLite does not have": ({ session }) => session.select(User).forUpdate().skipLocked().all(),
    "An option that is misspelt": ({ session }) => session.select(User).all({ autoFlush: false }),
  },
  Transactions: {
    "A duplicate value": ({ session }) => session.insertInto(User).values({ name: "ada" }).execute(),
    "A parent that does not exist": ({ session }) =>
      session.insertInto(Post).values({ userId: 99, title: "first" }).execute(),
    "Null where a value must be": ({ session }) =>
      session.execute(sql`insert into post ("userId", title) values (1, null)`),
    "Going on after a failure": async ({ session }) => {
      await session
        .insertInto(User)
        .values({ name: "ada" })
        .execute()
        .catch(() => {});
      await session.select(User).all();
    },
    "A closed session": async ({ app }) => {
      const session = app.session() as Untyped;
      await session.close();
      await session.select(User).all();
    },
    "A transaction that begins twice": async ({ session }) => {
      await session.begin();
      await session.begin();
    },
    "Commit in a transaction function": ({ session }) => session.transaction((tx: Untyped) => tx.commit()),
    "A stream in a transaction": async ({ session }) => {
      await session.begin();
      for await (const _ of session.select(User).stream());
    },
    "Work that was not committed": ({ app }) =>
      (app as Untyped).run(() => db.session.add(new User({ name: "new" })), { onUncommitted: "throw" }),
    "BEGIN as SQL text": ({ session }) => session.execute(sql`begin`),
    "COMMIT as SQL text": ({ session }) => session.execute(sql`commit`),
  },
};
