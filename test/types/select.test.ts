import { test } from "node:test";
import { expectTypeOf } from "expect-type";
import { alias, type KeysetPage, type Page, type Session, select, sql, timestamp, typed } from "../../src/index.ts";
import { Car, db, Event, Login, Post, Truck, tag, User, Vehicle } from "./shop.ts";

declare const session: Session<"auth" | "meta">;

/** Holds code that is to be compiled, or not, and never run. */
function compiled(_code: () => unknown): void {}

test("rows have the selected columns and no others", () => {
  compiled(async () => {
    const rows = await session.select(User).select(["id", "user.name as who", "bio"]).all();
    expectTypeOf(rows).toEqualTypeOf<{ id: number; who: string; bio: string | null }[]>();
    const one = await db.select(User).select("createdAt").one();
    expectTypeOf(one).toEqualTypeOf<{ createdAt: Date }>();
    const joined = db
      .select(User)
      .leftJoin(Login, "login.userId", "user.id")
      .select(["user.name", "login.id as loginId"]);
    expectTypeOf(await joined.first()).toEqualTypeOf<{ name: string; loginId: number | null } | null>();
    const counted = db
      .select(User)
      .select((eb) => ["name", eb.fn.countAll<number>().as("count")])
      .groupBy("name");
    expectTypeOf(await counted.all()).toEqualTypeOf<{ name: string; count: number }[]>();
    const now = await db.select(User).select(typed(sql`now()`, timestamp()).as("now")).firstOr404();
    expectTypeOf(now).toEqualTypeOf<{ now: Date }>();
    for await (const row of counted.orderBy("count", "desc").stream()) expectTypeOf(row.count).toEqualTypeOf<number>();
  });
  // @ts-expect-error there is no such column
  compiled(() => select(User).select(["nmae"]));
  // @ts-expect-error a column of another table
  compiled(() => select(User).select("login.id"));
  // @ts-expect-error nothing of that name was selected
  compiled(() => select(User).select(["id as number"]).orderBy("nmae"));
  // @ts-expect-error what an entity has beside columns is none
  compiled(() => select(User).orderBy("initials"));
  // @ts-expect-error nor can rows be grouped by it
  compiled(() => select(User).groupBy("initials"));
  // @ts-expect-error a text is no number
  compiled(() => select(User).groupBy("id").having("id", ">", "3"));
});

test("pluck gives the column's values", () => {
  compiled(async () => {
    expectTypeOf(await db.select(User).pluck("name")).toEqualTypeOf<string[]>();
    expectTypeOf(await db.select(User).pluck("user.bio")).toEqualTypeOf<(string | null)[]>();
    expectTypeOf(await db.select(Post).pluck("tags")).toEqualTypeOf<(readonly string[])[]>();
  });
  // @ts-expect-error there is no such column
  compiled(() => db.select(User).pluck("nmae"));
});

test("entities side by side are a list of them, with null where one is optional", () => {
  compiled(async () => {
    expectTypeOf(await db.select(User).joinAndSelect(Login, "login.userId", "user.id").all()).toEqualTypeOf<
      [User, Login][]
    >();
    expectTypeOf(await db.select(User).leftJoinAndSelect(Login, "login.userId", "user.id").first()).toEqualTypeOf<
      [User, Login | null] | null
    >();
    const three = db
      .select(User)
      .joinAndSelect(Login, "login.userId", "user.id")
      .leftJoinAndSelect(Truck, (join) => join.onRef("truck.load", "=", "login.id").on("truck.kind", "=", "truck"));
    expectTypeOf(await three.one()).toEqualTypeOf<[User, Login, Truck | null]>();
    expectTypeOf(await three.paginate()).toEqualTypeOf<Page<[User, Login, Truck | null]>>();
  });
  // @ts-expect-error a model of another bind
  compiled(() => select(User).joinAndSelect(Event, "event.id", "user.id"));
  // @ts-expect-error also where it may be missing
  compiled(() => select(User).leftJoinAndSelect(Event, "event.id", "user.id"));
  // @ts-expect-error also from the default bind
  compiled(() => select(Post).joinAndSelect(User, "user.id", "post.authorId"));
  // @ts-expect-error a table has no entities
  compiled(() => select(Event).joinAndSelect(tag, "tag.id", "event.id"));
  // @ts-expect-error there is no such column
  compiled(() => select(User).joinAndSelect(Login, "login.nope", "user.id"));
});

test("an alias has the model's columns and entities under its own name", () => {
  const other = alias(User, "other");
  compiled(async () => {
    expectTypeOf(await db.select(other).where("other.name", "=", "ada").one()).toEqualTypeOf<User>();
    expectTypeOf(await db.select(User).joinAndSelect(other, "other.id", "user.id").all()).toEqualTypeOf<
      [User, User][]
    >();
    const rows = await db.select(User).innerJoin(other, "other.id", "user.id").select(["other.bio", "user.name"]).all();
    expectTypeOf(rows).toEqualTypeOf<{ bio: string | null; name: string }[]>();
    expectTypeOf(User.as("other")).toEqualTypeOf(other);
    expectTypeOf(await db.select(User.as("o")).where("o.name", "=", "ada").one()).toEqualTypeOf<User>();
    const pairs = db.select(alias(Vehicle, "v")).joinAndSelect(alias(Car, "c"), "c.id", "v.id");
    expectTypeOf(await pairs.first()).toEqualTypeOf<[Vehicle, Car] | null>();
  });
  // @ts-expect-error the model goes by its other name
  compiled(() => select(other).where("user.name", "=", "ada"));
  // @ts-expect-error an alias has its model's bind
  compiled(() => select(Event).joinAndSelect(other, "other.id", "event.id"));
  // @ts-expect-error also in a join
  compiled(() => select(Event).innerJoin(other, "other.id", "event.id"));
  // @ts-expect-error a table has no entities to be read under another name
  compiled(() => alias(tag, "other"));
});

test("a select of one column is a value of its type", () => {
  compiled(() => select(User).where("id", "in", select(Login).select("userId")));
  // @ts-expect-error a text is no key
  compiled(() => select(User).where("name", "in", select(Login).select("userId")));
});

test("update takes values of the columns' types, and expressions", () => {
  compiled(async () => {
    expectTypeOf(await db.select(User).where({ id: 1 }).update({ bio: null, name: "ada" })).toEqualTypeOf<number>();
    expectTypeOf(await db.select(User).where({ id: 1 }).delete()).toEqualTypeOf<number>();
  });
  compiled(() => db.select(User).update((eb) => ({ id: eb("id", "+", 1), bio: eb.ref("name") })));
  compiled(() => db.select(User).update({ name: (eb) => eb.fn<string>("upper", ["name"]) }));
  compiled(() => db.select(User).update({ createdAt: sql<Date>`now()` }));
  // @ts-expect-error there is no such column
  compiled(() => db.select(User).update({ nmae: "ada" }));
  // @ts-expect-error a number is no name
  compiled(() => db.select(User).update({ name: 3 }));
  // @ts-expect-error a column that may not be null
  compiled(() => db.select(User).update({ name: null }));
  // @ts-expect-error undefined could mean anything
  compiled(() => db.select(User).update({ bio: undefined }));
  // @ts-expect-error an expression of another type
  compiled(() => db.select(User).update({ createdAt: sql<number>`1` }));
});

test("pages and 404s give what the select reads", () => {
  compiled(async () => {
    const page = await db.select(User).paginate({ page: "2", perPage: 10, maxPerPage: 50 });
    expectTypeOf(page).toEqualTypeOf<Page<User>>();
    expectTypeOf(page.items).toEqualTypeOf<readonly User[]>();
    expectTypeOf(await page.next()).toEqualTypeOf<Page<User>>();
    const feed = await db.select(User).orderBy("name").keyset({ after: page.items[0]?.bio, perPage: "10" });
    expectTypeOf(feed).toEqualTypeOf<KeysetPage<User>>();
    expectTypeOf(feed.next).toEqualTypeOf<string | null>();
    expectTypeOf((await db.select(User).select("id").keyset()).items).toEqualTypeOf<readonly { id: number }[]>();
    expectTypeOf(await db.select(User).firstOr404({ description: "no user" })).toEqualTypeOf<User>();
    expectTypeOf(await db.select(User).oneOr404()).toEqualTypeOf<User>();
    expectTypeOf(await db.getOr404(User, 1)).toEqualTypeOf<User>();
    expectTypeOf(await session.getOr404(Truck, 1, { description: "no truck" })).toEqualTypeOf<Truck>();
  });
  // @ts-expect-error a text is no key
  compiled(() => db.getOr404(User, "1"));
  // @ts-expect-error there is no such option
  compiled(() => db.select(User).paginate({ size: 3 }));
});
