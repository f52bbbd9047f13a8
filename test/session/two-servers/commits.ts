import { type Application, integer, keyOf, Multibind, type Session, sql, varchar } from "../../../src/index.ts";

/** What a process is told to do. */
export interface Order {
  readonly one: string;
  readonly two: string;
  /** How many rounds of commits beside each other. */
  readonly rounds: number;
  readonly seed: number;
  /** Commits whose locks a flush puts into order, or those that take them in any. */
  readonly commits: "ordered" | "unordered";
}

/** What came of it. */
export interface Report {
  readonly committed: number;
  /** The codes of failures that say that the same work may succeed when it is begun anew. */
  readonly retryable: readonly string[];
  /** All other failures. */
  readonly others: readonly string[];
}

type Keys = "one" | "two";
type Work = (session: Session<Keys>, random: () => number) => Promise<void>;

/** How many commits there are beside each other in a round. */
export const BESIDE = 3;
const ROWS = 4;

const db = new Multibind<Keys>();
const columns = {
  id: integer().primaryKey(),
  a: integer().default(0),
  b: integer().default(0),
  other: integer().nullable(),
};
class One extends db.model("two_servers_one", columns, { bindKey: "one" }) {}
class Two extends db.model("two_servers_two", columns, { bindKey: "two" }) {}
const child = { id: integer().primaryKey(), parentId: integer().nullable(), note: varchar(20) };
class ChildOfOne extends db.model(
  "two_servers_child_one",
  { ...child, parentId: integer().references("two_servers_one.id") },
  { bindKey: "one" },
) {}
class ChildOfTwo extends db.model(
  "two_servers_child_two",
  { ...child, parentId: integer().references("two_servers_two.id") },
  { bindKey: "two" },
) {}

/** An application on two servers. */
export function application({ one, two, commits }: Omit<Order, "rounds" | "seed">): Application<Keys> {
  const lockTimeout = commits === "ordered" ? 10 : 1;
  return db.init({
    databaseUri: "sqlite://",
    binds: { one: { url: one, lockTimeout }, two: { url: two, lockTimeout } },
  });
}

/** Makes the rows that all processes change. */
export async function prepare(app: Application<Keys>): Promise<void> {
  await app.createAll();
  const session = app.session();
  for (let id = 1; id <= ROWS; id++) session.addAll([new One({ id }), new Two({ id })]);
  await session.commit();
  await session.close();
}

const some = (random: () => number) => 1 + Math.floor(random() * ROWS);

/** Commits that write all in one flush. */
const ORDERED: readonly Work[] = [
  async (session, random) => {
    const [two, one] = [await session.getOne(Two, some(random)), await session.getOne(One, some(random))];
    two.a++;
    one.a++;
    await session.commit();
  },
  async (session, random) => {
    const rows: (One | Two)[] = [];
    for (const id of random() < 0.5 ? [1, 2, 3] : [3, 1, 2])
      rows.push(await session.getOne(Two, id), await session.getOne(One, id));
    for (const row of rows) row[random() < 0.5 ? "a" : "b"]++;
    await session.commit();
  },
  async (session, random) => {
    const two = await session.getOne(Two, some(random));
    const added = new ChildOfOne({ parentId: some(random), note: "one" });
    session.addAll([added, new ChildOfTwo({ parentId: some(random), note: "two" })]);
    Object.assign(two, { other: keyOf(added) });
    await session.commit();
  },
  async (session, random) => {
    const [one, two] = [await session.getOne(One, some(random)), await session.getOne(Two, some(random))];
    const nested = await session.beginNested();
    one.b++;
    two.b++;
    await nested.commit();
    await session.commit();
  },
];

/** Commits that lock in any order: only the bound of their waits ends what no server sees. */
const UNORDERED: readonly Work[] = [
  async (session, random) => {
    // The first bind's update waits for a key of the second, where MariaDB locks the row that the new one refers to.
    const one = await session.getOne(One, some(random));
    const added = new ChildOfTwo({ parentId: some(random), note: "two" });
    session.add(added);
    Object.assign(one, { other: keyOf(added) });
    await session.commit();
  },
  async (session, random) => {
    (await session.getOne(Two, some(random))).a++;
    await session.flush();
    (await session.getOne(One, some(random))).a++;
    await session.commit();
  },
  async (session, random) => {
    const write = [
      () => session.updateTable(Two).set({ b: 1 }).where("id", "=", some(random)).execute(),
      () => session.execute(sql`update two_servers_one set b = b + 1 where id = ${some(random)}`, { bindKey: "one" }),
    ];
    for (const run of random() < 0.5 ? write : write.toReversed()) await run();
    await session.commit();
  },
];

/** Makes commits beside each other, round by round. */
export async function run(order: Order): Promise<Report> {
  const app = application(order);
  const random = randomFrom(order.seed);
  const report = { committed: 0, retryable: [] as string[], others: [] as string[] };
  const commit = async () => {
    const works = order.commits === "ordered" ? ORDERED : UNORDERED;
    const work = works[Math.floor(random() * works.length)]!;
    const session = app.session();
    try {
      await work(session, random);
      report.committed++;
    } catch (error) {
      const { code, retryable } = error as { readonly code?: string; readonly retryable?: boolean };
      if (retryable === true) report.retryable.push(String(code));
      else report.others.push(String(error));
    } finally {
      await session.close();
    }
  };
  for (let round = 0; round < order.rounds; round++) await Promise.all(Array.from({ length: BESIDE }, commit));
  await app.dispose();
  return report;
}

function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

// As a program: the order is the argument, the report is what is printed.
const [, file, given] = process.argv;
if (given !== undefined && file === import.meta.filename) {
  process.stdout.write(JSON.stringify(await run(JSON.parse(given) as Order)));
}
