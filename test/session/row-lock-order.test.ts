import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type FamilyName,
  integer,
  LockTimeoutError,
  Multibind,
  OperationalError,
  type Session,
  StaleDataError,
  sql,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, sharedDatabase, start, verbs } from "../fixtures/matrix.ts";

const SERVERS: readonly FamilyName[] = ["postgres", "mysql"];
const ROUNDS = 25;

function models() {
  const db = new Multibind();
  const columns = { a: integer().default(0), b: integer().default(0), c: integer().default(0) };
  class Row extends db.model("locked_row", { id: integer().primaryKey(), ...columns }) {}
  class Named extends db.model("locked_named", { name: varchar(20).primaryKey(), ...columns }) {}
  class Pair extends db.model("locked_pair", {
    left: integer().primaryKey(),
    right: integer().primaryKey(),
    ...columns,
  }) {}
  class Versioned extends db.model("locked_versioned", {
    id: integer().primaryKey(),
    revision: integer().version(),
    ...columns,
  }) {}
  class Vehicle extends db.model(
    "locked_vehicle",
    { id: integer().primaryKey(), kind: varchar(10), ...columns },
    { discriminator: "kind" },
  ) {}
  class Car extends Vehicle.extend({ doors: integer().default(0) }, { identity: "car" }) {
    static {
      db.register(Car);
    }
  }
  class Bike extends Vehicle.extend({ gears: integer().default(0) }, { identity: "bike" }) {
    static {
      db.register(Bike);
    }
  }
  class Truck extends Vehicle.extend(
    "locked_truck",
    {
      id: integer().primaryKey().references("locked_vehicle.id"),
      load: integer().default(0),
      axles: integer().default(0),
    },
    { identity: "truck" },
  ) {
    static {
      db.register(Truck);
    }
  }
  return { db, Row, Named, Pair, Versioned, Vehicle, Car, Bike, Truck };
}

/** Numbers in an order of its own for each seed. */
function shuffled<T>(items: readonly T[], seed: number): T[] {
  const result = [...items];
  let state = seed * 2_654_435_761 + 1;
  for (let index = result.length - 1; index > 0; index--) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    const other = state % (index + 1);
    [result[index], result[other]] = [result[other]!, result[index]!];
  }
  return result;
}

interface Changeable {
  a: number;
  b: number;
  c: number;
}

/** Changes rows in columns that differ from row to row and from seed to seed. */
function change(rows: readonly Changeable[], seed: number): void {
  for (const [index, row] of shuffled(rows, seed).entries()) row[(["a", "b", "c"] as const)[(index + seed) % 3]!]++;
}

/** Loads rows in an order of its own for each seed: a flush finds them in that order. */
async function loaded<E>(get: (key: number) => Promise<E>, keys: readonly number[], seed: number): Promise<E[]> {
  const rows: E[] = [];
  for (const key of shuffled(keys, seed)) rows.push(await get(key));
  return rows;
}

/** Runs sessions beside each other for some rounds. Returns how their commits failed. */
async function race(
  sessions: () => Session,
  work: (session: Session, seed: number) => Promise<void>,
  beside = 3,
): Promise<string[]> {
  const failures: string[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: beside }, async (_, index) => {
        const session = sessions();
        try {
          await work(session, round * beside + index);
          await session.commit();
        } catch (error) {
          if (!(error instanceof StaleDataError)) failures.push(String(error));
        } finally {
          await session.close();
        }
      }),
    );
  }
  return failures;
}

onEachFamily(
  "sessions that change the same rows in different columns never deadlock",
  async (t, url) => {
    const { db, Row, Named, Pair, Versioned } = models();
    const app = await start(t, db, { databaseUri: url });
    const writer = sessionOf(app);
    const numbers = Array.from({ length: 6 }, (_, index) => index + 1);
    writer.addAll(numbers.flatMap((id) => [new Row({ id }), new Named({ name: `n${id}` }), new Versioned({ id })]));
    writer.addAll(numbers.map((right) => new Pair({ left: 7 - right, right })));
    await writer.commit();
    const getters = {
      Row: (session, id) => session.getOne(Row, id),
      Named: (session, id) => session.getOne(Named, `n${id}`),
      Pair: (session, right) => session.getOne(Pair, { left: 7 - right, right }),
      Versioned: (session, id) => session.getOne(Versioned, id),
    } satisfies Record<string, (session: Session, id: number) => Promise<Changeable>>;
    for (const [name, get] of Object.entries(getters)) {
      const failures = await race(
        () => app.session(),
        async (session, seed) => change(await loaded<Changeable>((id) => get(session, id), numbers, seed), seed),
      );
      assert.deepEqual(failures, [], name);
    }
  },
  SERVERS,
);

onEachFamily(
  "sessions that change many rows in any order never deadlock",
  async (t, url) => {
    const { db, Row, Named } = models();
    const app = await start(t, db, { databaseUri: url });
    const writer = sessionOf(app);
    const numbers = Array.from({ length: 60 }, (_, index) => index + 1);
    // They stand in another order in the table than that of their keys.
    for (const id of shuffled(numbers, 5)) {
      writer.addAll([new Row({ id }), new Named({ name: `n${id}` })]);
      await writer.flush();
    }
    await writer.commit();
    const getters = {
      Row: (session, id) => session.getOne(Row, id),
      Named: (session, id) => session.getOne(Named, `n${id}`),
    } satisfies Record<string, (session: Session, id: number) => Promise<Changeable>>;
    for (const [name, get] of Object.entries(getters)) {
      const failures = await race(
        () => app.session(),
        async (session, seed) => {
          const some = shuffled(numbers, seed).slice(0, [2, 40, 12, 60][seed % 4]);
          for (const row of await loaded<Changeable>((id) => get(session, id), some, seed)) row.a = seed;
        },
      );
      assert.deepEqual(failures, [], name);
    }
  },
  SERVERS,
);

onEachFamily(
  "rows of several models in one table are locked in one order",
  async (t, url) => {
    const { db, Vehicle, Car, Bike, Truck } = models();
    const app = await start(t, db, { databaseUri: url });
    const writer = sessionOf(app);
    for (let n = 0; n < 3; n++) {
      writer.addAll([new Car({}), new Bike({}), new Truck({})]);
      await writer.flush();
    }
    await writer.commit();
    const failures = await race(
      () => app.session(),
      async (session, seed) => {
        const vehicles = await loaded((id) => session.getOne(Vehicle, id), [1, 2, 3, 4, 5, 6, 7, 8, 9], seed);
        for (const vehicle of vehicles) {
          if (vehicle instanceof Truck) vehicle[seed % 2 === 0 ? "load" : "axles"]++;
          else if (vehicle instanceof Car) vehicle.doors++;
        }
        change(vehicles, seed);
      },
    );
    assert.deepEqual(failures, []);
  },
  SERVERS,
);

onEachFamily(
  "updates and deletes of one table's rows are locked in one order",
  async (t, url) => {
    const { db, Row } = models();
    const app = await start(t, db, { databaseUri: url });
    const writer = sessionOf(app);
    let id = 0;
    const failures = await race(
      () => app.session(),
      async (session, seed) => {
        if (seed % 2 === 0) {
          // Both sessions of a round find the same rows.
          writer.addAll(Array.from({ length: 4 }, () => new Row({ id: ++id })));
          await writer.commit();
        }
        const keys = [id - 3, id - 2, id - 1, id];
        const rows = await loaded((key) => session.get(Row, key), keys, seed);
        for (const [index, row] of rows.entries()) {
          if (row === null) continue;
          if (index % 2 === 0) session.delete(row);
          else row.a++;
        }
      },
      2,
    );
    assert.deepEqual(failures, []);
  },
  SERVERS,
);

onEachFamily("rows are locked ahead only where statements alone would take another order", async (t, url, family) => {
  const { db, Row, Car, Bike } = models();
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  session.addAll([1, 2, 3, 4].map((id) => new Row({ id })));
  session.addAll([new Car({ id: 1 }), new Bike({ id: 2 }), new Car({ id: 3 })]);
  await session.commit();
  const rows = await session.select(Row).orderBy("id", "desc").all();
  const [four, three, two, one] = rows;
  const sent = record(app);
  const changes = async (make: () => void): Promise<string[]> => {
    await session.select(Row).all();
    sent.length = 0;
    make();
    await session.flush();
    const seen = verbs(sent).filter((verb) => verb !== "begin" && verb !== "start");
    await session.commit();
    return [...new Set(seen)].flatMap((verb) => seen.filter((one) => one === verb));
  };
  // What the types of columns are is asked once.
  await changes(() => rows.map((row) => row.a++));

  assert.deepEqual(await changes(() => four!.a++), ["update"]);
  const together = await changes(() => rows.map((row) => row.a++));
  assert.ok(!together.includes("select"));
  // In the order of their keys they are written one after the other.
  assert.deepEqual(
    await changes(() => {
      four!.b++;
      one!.a++;
    }),
    ["update", "update"],
  );
  const areLocked = family !== "sqlite";
  const interleaved = await changes(() => {
    four!.a++;
    one!.a++;
    two!.b++;
    three!.b++;
  });
  assert.equal(interleaved.includes("select"), areLocked);

  // The cars' statement comes before the bike's, whose key is between theirs.
  const fresh = sessionOf(app);
  const cars = await fresh.select(Car).orderBy("id").all();
  const [bike] = await fresh.select(Bike).all();
  for (const car of cars) car.doors++;
  bike!.gears++;
  sent.length = 0;
  await fresh.commit();
  assert.equal(verbs(sent).includes("select"), areLocked);
});

test("a lock that is waited for ahead of the statements is bounded and told like the statement's own", async (t) => {
  const { db, Row } = models();
  const app = await start(t, db, { databaseUri: await sharedDatabase("postgres") });
  const [holder, session] = [sessionOf(app), sessionOf(app)];
  session.addAll([1, 2, 3].map((id) => new Row({ id })));
  await session.commit();
  await holder.updateTable(Row).set({ c: 1 }).where("id", "=", 2).execute();
  const [one, two, three] = await session.select(Row).orderBy("id").all();
  await session.execute(sql`set local lock_timeout = '100ms'`);
  one!.a++;
  two!.b++;
  three!.a++;
  await assert.rejects(session.commit(), (error: unknown) => {
    assert.ok(error instanceof LockTimeoutError && error instanceof OperationalError);
    assert.match(error.sql ?? "", /for no key update/);
    return true;
  });
  await assert.rejects(session.commit(), { code: "FAILED_TRANSACTION" });
  await session.rollback();
  await holder.rollback();
  two!.b = 5;
  await session.commit();
  assert.equal((await holder.getOne(Row, 2)).b, 5);
});

/** A row's insert with a reference needs only that the key stays. */
test("rows that keep their keys can be referred to while they are locked", async (t: TestContext) => {
  const db = new Multibind();
  class Parent extends db.model("locked_parent", { id: integer().primaryKey(), a: integer(), b: integer() }) {}
  class Child extends db.model("locked_child", {
    id: integer().primaryKey(),
    parentId: integer().references("locked_parent.id"),
  }) {}
  const app = await start(t, db, { databaseUri: await sharedDatabase("postgres") });
  const [session, other] = [sessionOf(app), sessionOf(app)];
  const parents = [1, 2, 3].map((id) => new Parent({ id, a: 0, b: 0 }));
  session.addAll(parents);
  await session.commit();
  const [one, two, three] = await session.select(Parent).orderBy("id").all();
  one!.a++;
  two!.b++;
  three!.a++;
  await session.flush();
  await other.execute(sql`set local lock_timeout = '5s'`);
  other.addAll([1, 2, 3].map((parentId) => new Child({ parentId })));
  await other.commit();
  await session.commit();
  assert.equal(await session.select(Child).count(), 3);
});
