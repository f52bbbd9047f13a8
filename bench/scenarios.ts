import type { Store } from "./contenders/contender.ts";
import { FLUSHED_ROWS, LIST_ROWS, UPDATED_ROWS } from "./contenders/contender.ts";
import { AUTHORS, newPost, newUser, ROWS } from "./data.ts";

/** One kind of work that every contender does. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** How many run at once. */
  readonly workers: number;
  /** Whether it writes; what it adds is deleted after each batch. */
  readonly writes: boolean;
  /** Whether a contender can do it. */
  can(store: Store): boolean;
  /** Does it once. `turn` counts up, so that each time other rows are meant. */
  run(store: Store, unit: unknown, turn: number): Promise<unknown>;
}

/** Any number without a factor in common with the number of rows walks through all of them. */
const STRIDE = 7_919;
const WORKERS = 64;

const POSTS = Array.from({ length: FLUSHED_ROWS }, (_, place) => newPost(ROWS + 1 + place));
/** Two times as many rows, of one parent or of many. */
const CHILDREN = Array.from({ length: 2 * FLUSHED_ROWS }, (_, place) => newPost(ROWS + 1 + place));
/** So many that costs which grow faster than the rows show. */
const MANY = 10_000;
const MANY_USERS = Array.from({ length: MANY }, (_, place) => newUser(ROWS + 1 + place));
const MANY_POSTS = Array.from({ length: MANY }, (_, place) => newPost(ROWS + 1 + place));
const USERS = Array.from({ length: FLUSHED_ROWS }, (_, place) => newUser(ROWS + 1 + place));

/** What each scenario means by a turn. */
export const turns = {
  postId: (turn: number) => ((turn * STRIDE) % ROWS) + 1,
  listAfter: (turn: number) => (turn * STRIDE) % (ROWS - 2 * LIST_ROWS),
  userId: (turn: number) => ((turn * STRIDE) % AUTHORS) + 1,
  post: (turn: number) => POSTS[turn % POSTS.length]!,
  updateAfter: (turn: number) => (turn * UPDATED_ROWS) % ROWS,
  title: (turn: number) => `Title of turn ${turn},`,
  users: USERS,
  posts: POSTS,
} as const;

const plain = { workers: 1, writes: false, can: () => true };

export const SCENARIOS: readonly Scenario[] = [
  { ...plain, name: "get", title: "get by key", run: (store, unit, turn) => store.get(unit, turns.postId(turn)) },
  {
    ...plain,
    name: "context",
    title: "get by key, in a context of its own",
    can: (store) => store.getInContext !== undefined,
    run: (store, _, turn) => store.getInContext!(turns.postId(turn)),
  },
  {
    ...plain,
    name: "list100",
    title: `list of ${LIST_ROWS} with a filter`,
    run: (store, unit, turn) => store.list(unit, turns.listAfter(turn)),
  },
  {
    ...plain,
    name: "page",
    title: "page: a user of one bind, his 20 posts of another",
    run: (store, unit, turn) => store.page(unit, turns.userId(turn)),
  },
  {
    ...plain,
    name: "concurrent",
    title: `page under ${WORKERS} concurrent workers`,
    workers: WORKERS,
    run: (store, unit, turn) => store.page(unit, turns.userId(turn)),
  },
  {
    ...plain,
    name: "insert1",
    title: "insert one, learn its key",
    writes: true,
    run: (store, unit, turn) => store.insert(unit, turns.post(turn)),
  },
  {
    ...plain,
    name: "flush1000",
    title: `flush ${FLUSHED_ROWS} users and ${FLUSHED_ROWS} posts`,
    writes: true,
    run: (store, unit) => store.flush(unit, USERS, POSTS),
  },
  {
    ...plain,
    name: "update200",
    title: `load ${UPDATED_ROWS}, change one field each, save`,
    writes: true,
    run: (store, unit, turn) => store.update(unit, turns.updateAfter(turn), turns.title(turn)),
  },
  {
    ...plain,
    name: "inserttx",
    title: "insert one in a transaction, in a session of its own",
    writes: true,
    can: (store) => store.insertInTransaction !== undefined,
    run: (store, _, turn) => store.insertInTransaction!(turns.post(turn)),
  },
  {
    ...plain,
    name: "flushinside",
    title: "flush1000, in a session of its own",
    writes: true,
    can: (store) => store.flushInside !== undefined,
    run: (store) => store.flushInside!(USERS, POSTS),
  },
  {
    ...plain,
    name: "keys2",
    title: `flush ${FLUSHED_ROWS} users and ${FLUSHED_ROWS} posts of theirs: keys of another bind`,
    writes: true,
    can: (store) => store.flushWithKeys !== undefined,
    run: (store) => store.flushWithKeys!(USERS, POSTS),
  },
  {
    ...plain,
    name: "keys1",
    title: `flush ${FLUSHED_ROWS} posts and ${FLUSHED_ROWS} that carry their keys, in one bind`,
    writes: true,
    can: (store) => store.flushWithinBind !== undefined,
    run: (store) => store.flushWithinBind!(POSTS, POSTS),
  },
  {
    ...plain,
    name: "children1000",
    title: `flush a user and ${CHILDREN.length} posts of his: a key of another bind`,
    writes: true,
    can: (store) => store.flushWithKeys !== undefined,
    run: (store) => store.flushWithKeys!(USERS.slice(0, 1), CHILDREN),
  },
  {
    ...plain,
    name: "keys20000",
    title: `keys2 with ${MANY} users and ${MANY} posts`,
    writes: true,
    can: ({ flushWithKeys, mostRows = MANY }) => flushWithKeys !== undefined && mostRows >= MANY,
    run: (store) => store.flushWithKeys!(MANY_USERS, MANY_POSTS),
  },
];
