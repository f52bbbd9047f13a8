import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import { type Application, type CrossBindError, type Engine, type Session, select } from "../../src/index.ts";
import { Car, db, Event, Login, Member, Post, Truck, tag, User, Vehicle } from "./shop.ts";

declare const app: Application<"auth" | "meta">;
declare const session: Session<"auth" | "meta">;

/** Holds code that is to be compiled, or not, and never run. */
function compiled(_code: () => unknown): void {}

test("keys of the configuration are the bind keys", () => {
  compiled(() => db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: { url: "sqlite://" } } }));
  // @ts-expect-error there is no such bind
  compiled(() => db.init({ databaseUri: "sqlite://", binds: { nope: "sqlite://" } }));
  compiled(() => db.init({ binds: {}, commitOrder: ["auth", null], decisionBind: "auth", commitPolicy: "twoPhase" }));
  // @ts-expect-error nor one to decide
  compiled(() => db.init({ binds: {}, decisionBind: "nope" }));
  // @ts-expect-error nor such a policy
  compiled(() => app.session({ commitPolicy: "threePhase" }));
  // @ts-expect-error nor such an option
  compiled(() => db.init({ databaseUlr: "sqlite://" }));
  // @ts-expect-error nor such an option of an engine
  compiled(() => db.init({ binds: { auth: { url: "sqlite://", poolsize: 3 } } }));
});

test("whatever takes a bind key takes the configured ones, and null for the default", () => {
  compiled(() => [app.createAll({ bindKey: "auth" }), app.createAll({ bindKey: [null, "meta"] }), app.dropAll()]);
  compiled(() => [app.engines.get(null), app.engines.get("auth"), db.engines.get("meta")]);
  compiled(() => [session.getBind({ bindKey: "auth" }), session.kysely("meta"), session.kysely(null)]);
  // @ts-expect-error createAll
  compiled(() => app.createAll({ bindKey: "nope" }));
  // @ts-expect-error createAll with a list
  compiled(() => db.createAll({ bindKey: [null, "nope"] }));
  // @ts-expect-error dropAll
  compiled(() => db.dropAll({ bindKey: "nope" }));
  // @ts-expect-error reflect
  compiled(() => db.reflect({ bindKey: "nope" }));
  // @ts-expect-error engines
  compiled(() => app.engines.get("nope"));
  // @ts-expect-error getBind
  compiled(() => session.getBind({ bindKey: "nope" }));
  // @ts-expect-error kysely
  compiled(() => session.kysely("nope"));
  // @ts-expect-error execute
  compiled(() => session.execute(select(User), { bindKey: "nope" }));
  expectTypeOf<typeof session.getBind>().returns.toEqualTypeOf<Engine>();
});

test("a key has the type of the primary key", () => {
  compiled(() => session.get(User, 1));
  compiled(() => session.get(Member, { userId: 1, groupId: 2 }));
  // @ts-expect-error a text is no integer
  compiled(() => session.get(User, "1"));
  // @ts-expect-error a part is missing
  compiled(() => session.get(Member, { userId: 1 }));
  // @ts-expect-error a composite key has names
  compiled(() => session.get(Member, [1, 2]));
  // @ts-expect-error a table has no entities
  compiled(() => session.get(tag, 1));
  compiled(async () => {
    expectTypeOf(await session.get(Truck, 1)).toEqualTypeOf<Truck | null>();
    expectTypeOf(await session.getOne(Vehicle, 1)).toEqualTypeOf<Vehicle>();
  });
});

test("a statement knows its entities, columns and values", () => {
  compiled(async () => {
    expectTypeOf(await session.select(User).all()).toEqualTypeOf<User[]>();
    expectTypeOf(await db.select(Car).first()).toEqualTypeOf<Car | null>();
    expectTypeOf(await db.select(User).one()).toEqualTypeOf<User>();
    expectTypeOf(await db.select(User).count()).toEqualTypeOf<number>();
    for await (const truck of session.select(Truck).stream()) expectTypeOf(truck).toEqualTypeOf<Truck>();
  });
  compiled(() =>
    select(User)
      .where("name", "like", "a%")
      .where({ bio: null, id: [1, 2] })
      .orderBy("user.id", "desc"),
  );
  compiled(() => select(User).where((eb) => eb.or([eb("id", "<", 3), eb("bio", "is", null)])));
  // @ts-expect-error there is no such column
  compiled(() => select(User).where("nmae", "=", "ada"));
  // @ts-expect-error a number is no name
  compiled(() => select(User).where("name", "=", 3));
  // @ts-expect-error nor in a list
  compiled(() => select(User).where({ name: [3] }));
  // @ts-expect-error there is no such column
  compiled(() => select(User).orderBy("nmae"));
  // @ts-expect-error a column of another table
  compiled(() => select(User).where("login.userId", "=", 1));
});

test("a join stays on one bind", () => {
  compiled(() => select(User).innerJoin(Login, "login.userId", "user.id").where("login.id", ">", 3));
  compiled(() => select(Event).leftJoin(tag, "tag.id", "event.id").where("tag.label", "is", null));
  // @ts-expect-error a model of another bind
  compiled(() => select(User).innerJoin(Event, "event.id", "user.id"));
  // @ts-expect-error a table of another bind
  compiled(() => select(User).innerJoin(tag, "tag.id", "user.id"));
  // @ts-expect-error also on the left
  compiled(() => select(User).leftJoin(tag, "tag.id", "user.id"));
  // @ts-expect-error also from the default bind
  compiled(() => select(Post).innerJoin(User, "user.id", "post.authorId"));
  // @ts-expect-error and to it
  compiled(() => select(User).innerJoin(Post, "post.authorId", "user.id"));
  // @ts-expect-error on a session
  compiled(() => session.select(User).innerJoin(Event, "event.id", "user.id"));
  // @ts-expect-error behind a join that is allowed
  compiled(() => db.select(User).innerJoin(Login, "login.userId", "user.id").innerJoin(tag, "tag.id", "user.id"));
  expectTypeOf<CrossBindError["code"]>().toEqualTypeOf<"CROSS_BIND">();
});

test("rows of Kysely's form have the columns' types", () => {
  compiled(async () => {
    const [row] = await db
      .selectFrom(User)
      .leftJoin(Login, "login.userId", "user.id")
      .select(["user.name", "user.createdAt", "login.id as loginId"])
      .execute();
    expectTypeOf(row!).toEqualTypeOf<{ name: string; createdAt: Date; loginId: number | null }>();
    const inserted = await session.insertInto(tag).values({ label: "x" }).returning("id").executeTakeFirstOrThrow();
    expectTypeOf(inserted).toEqualTypeOf<{ id: number }>();
  });
  // @ts-expect-error a value is missing
  compiled(() => db.insertInto(User).values({ bio: "x" }));
  // @ts-expect-error a number is no label
  compiled(() => db.insertInto(tag).values({ label: 3 }));
  // @ts-expect-error there is no such column
  compiled(() => db.updateTable(User).set({ nmae: "ada" }));
  // @ts-expect-error a column that may not be null
  compiled(() => db.updateTable(User).set({ name: null }));
  // @ts-expect-error there is no such column
  compiled(() => db.deleteFrom(User).where("nmae", "=", "ada"));
});

test("a transaction passes the session to the function and returns its result", () => {
  compiled(async () => {
    const count = await session.transaction(async (tx) => {
      expectTypeOf(tx).toEqualTypeOf<Session<"auth" | "meta">>();
      return 3;
    });
    expectTypeOf(count).toEqualTypeOf<number>();
    expectTypeOf(await app.run(() => "x")).toEqualTypeOf<string>();
    expectTypeOf(await app.transaction(async () => 3)).toEqualTypeOf<number>();
  });
  // @ts-expect-error there is no such policy
  compiled(() => app.session({ commitPolicy: "nope" }));
  // @ts-expect-error there is no such event
  compiled(() => session.on("afterFlsh", () => {}));
});
