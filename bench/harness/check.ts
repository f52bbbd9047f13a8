import assert from "node:assert/strict";
import type { Binds, Store } from "../contenders/contender.ts";
import { UPDATED_ROWS } from "../contenders/contender.ts";
import { writeInstant } from "../contenders/instants.ts";
import { type NewUser, newPost, newUser, POST_COLUMNS, ROWS, USER_COLUMNS } from "../data.ts";
import { turns } from "../scenarios.ts";
import type { Databases } from "./databases.ts";

type Values = Record<string, unknown>;
type Columns = readonly string[];

/** A turn that timed batches do not come to. */
const TURN = 4_321;
const NEW_POST_COLUMNS = POST_COLUMNS.filter((column) => column !== "id");
const NEW_USER_COLUMNS = USER_COLUMNS.filter((column) => column !== "id");

/**
 * Does each scenario once and compares what comes back and what is stored with what has to.
 *
 * @throws {assert.AssertionError} saying what differs
 */
export async function check(store: Store, binds: Binds, databases: Databases): Promise<void> {
  await checkReads(store);
  await checkInsert(store, binds, databases);
  await checkFlush(store, binds, databases);
  await checkUpdate(store, binds, databases);
  await checkKeys(store, binds, databases);
  await databases.reset(binds);
}

async function checkReads(store: Store): Promise<void> {
  const id = turns.postId(TURN);
  const expected = { id, ...newPost(id) };
  assert.deepEqual(pick(await within(store, (unit) => store.get(unit, id)), POST_COLUMNS), expected, "get");
  if (store.getInContext !== undefined)
    assert.deepEqual(pick(await store.getInContext(id), POST_COLUMNS), expected, "get in a context");

  const after = turns.listAfter(TURN);
  const listed = numbers(after + 1, after + 400)
    .map((number) => ({ id: number, ...newPost(number) }))
    .filter(({ published }) => published)
    .slice(0, 100);
  assert.deepEqual(pickAll(await within(store, (unit) => store.list(unit, after)), POST_COLUMNS), listed, "list");

  const userId = turns.userId(TURN);
  const { user, posts } = await within(store, (unit) => store.page(unit, userId));
  assert.deepEqual(pick(user, USER_COLUMNS), { id: userId, ...newUser(userId) }, "page, user");
  const own = numbers(1, ROWS)
    .map((number) => ({ id: number, ...newPost(number) }))
    .filter(({ authorId }) => authorId === userId);
  assert.deepEqual(pickAll(posts, POST_COLUMNS), own, "page, posts");
}

async function checkInsert(store: Store, binds: Binds, databases: Databases): Promise<void> {
  const given = turns.post(TURN);
  const stored = await within(store, (unit) => store.insert(unit, given));
  assert.deepEqual(pick(stored, NEW_POST_COLUMNS), given, "insert, what comes back");
  const rows = await databases.rows(binds.main, "post", ROWS);
  assert.deepEqual(canonicalRows(rows), [{ id: stored.id, ...given }], "insert, what is stored");
  await databases.reset(binds);
}

async function checkFlush(store: Store, binds: Binds, databases: Databases): Promise<void> {
  const { users, posts } = await within(store, (unit) => store.flush(unit, turns.users, turns.posts));
  assert.deepEqual(pickAll(users, NEW_USER_COLUMNS), turns.users, "flush, users");
  assert.deepEqual(pickAll(posts, NEW_POST_COLUMNS), turns.posts, "flush, posts");
  const byId = (rows: readonly Values[]) => [...rows].sort((a, b) => Number(a["id"]) - Number(b["id"]));
  const storedUsers = canonicalRows(await databases.rows(binds.auth, "user", ROWS));
  assert.deepEqual(byId(pickAll(users, USER_COLUMNS)), storedUsers, "flush, users as stored");
  const storedPosts = canonicalRows(await databases.rows(binds.main, "post", ROWS));
  assert.deepEqual(byId(pickAll(posts, POST_COLUMNS)), storedPosts, "flush, posts as stored");
  await databases.reset(binds);
}

async function checkKeys(store: Store, binds: Binds, databases: Databases): Promise<void> {
  if (store.insertInTransaction !== undefined) {
    const given = turns.post(TURN);
    const stored = await store.insertInTransaction(given);
    assert.deepEqual(pick(stored, NEW_POST_COLUMNS), given, "insert in a transaction");
    await databases.reset(binds);
  }
  await checkAuthors(store, binds, databases, turns.users);
  await checkAuthors(store, binds, databases, turns.users.slice(0, 1));
  if (store.flushWithinBind !== undefined) {
    const { parents, children } = await store.flushWithinBind(turns.posts, turns.posts);
    const expected = turns.posts.map((post, place) => ({ ...post, authorId: parents[place]!.id }));
    assert.deepEqual(pickAll(children, NEW_POST_COLUMNS), expected, "flush within a bind");
    await databases.reset(binds);
  }
}

async function checkAuthors(
  store: Store,
  binds: Binds,
  databases: Databases,
  given: readonly NewUser[],
): Promise<void> {
  if (store.flushWithKeys === undefined) return;
  const { users, posts } = await store.flushWithKeys(given, turns.posts);
  const expected = turns.posts.map((post, place) => ({ ...post, authorId: users[place % users.length]!.id }));
  assert.deepEqual(pickAll(posts, NEW_POST_COLUMNS), expected, "flush with keys");
  const byId = [...posts].sort((a, b) => a.id - b.id);
  const stored = canonicalRows(await databases.rows(binds.main, "post", ROWS));
  assert.deepEqual(pickAll(byId, POST_COLUMNS), stored, "flush with keys, as stored");
  await databases.reset(binds);
}

async function checkUpdate(store: Store, binds: Binds, databases: Databases): Promise<void> {
  const after = turns.updateAfter(TURN);
  const title = turns.title(TURN);
  await within(store, (unit) => store.update(unit, after, title));
  const expected = numbers(1, ROWS).map((number) => {
    const changed = number > after && number <= after + UPDATED_ROWS;
    return { id: number, ...newPost(number), ...(changed ? { title: `${title} ${number}` } : {}) };
  });
  assert.deepEqual(canonicalRows(await databases.rows(binds.main, "post", 0)), expected, "update");
}

async function within<T>(store: Store, work: (unit: unknown) => Promise<T>): Promise<T> {
  const unit = store.enter();
  try {
    return await work(unit);
  } finally {
    await store.leave(unit);
  }
}

function pick(row: object | null | undefined, columns: Columns): Values {
  assert.ok(row, "there is no row");
  return Object.fromEntries(columns.map((column) => [column, (row as Values)[column]]));
}

function pickAll(rows: readonly object[], columns: Columns): Values[] {
  return rows.map((row) => pick(row, columns));
}

/** Rows as a database keeps them, in the form in which everybody has to read them. */
function canonicalRows(rows: readonly Values[]): Values[] {
  return rows.map((row) => {
    const canonical: Values = { ...row };
    for (const name of ["published", "admin"]) if (name in row) canonical[name] = Boolean(row[name]);
    canonical["createdAt"] = instantOf(row["createdAt"]);
    return canonical;
  });
}

function instantOf(stored: unknown): Date {
  if (stored instanceof Date) return stored;
  if (typeof stored === "number") return new Date(stored);
  const [text = ""] = /^[^+Z]*/.exec(String(stored)) ?? [];
  const instant = new Date(`${text.trim().replace(" ", "T")}Z`);
  assert.ok(writeInstant(instant).startsWith("20"), `what is stored is no instant: ${stored}`);
  return instant;
}

function numbers(first: number, last: number): number[] {
  return Array.from({ length: last - first + 1 }, (_, place) => first + place);
}
