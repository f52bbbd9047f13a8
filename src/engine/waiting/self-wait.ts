import { setTimeout as delay } from "node:timers/promises";
import { bindLabel } from "../../bind-key.ts";
import { SelfDeadlockError } from "../../errors/database.ts";
import { type Owner, surroundingOwners, worksAlone } from "../pool/owner.ts";
import type { LockWatch } from "./lock-watch.ts";
import type { ServerEngine, ServerTransaction } from "./server-transaction.ts";

/** The time after which a statement is suspected to wait for a lock, in milliseconds. */
const FIRST_LOOK = 50;
const LONGEST_PAUSE = 2_000;

/** A transaction that is open, and its owner. */
interface Held {
  readonly owner: Owner;
  readonly connection: ServerTransaction;
}

const NONE: readonly ServerTransaction[] = [];
/** The servers of engines, as far as they were asked: only those that share one can wait for each other. */
const servers = new WeakMap<ServerEngine, string>();
/** How many transactions on servers are open in this process. */
let open = 0;

/** Notes that an owner has a transaction on a server, whose locks its own work may meet on another connection. */
export function noteTransaction(owner: Owner, connection: ServerTransaction): void {
  owner.transactions ??= new Set();
  if (owner.transactions.has(connection)) return;
  owner.transactions.add(connection);
  open++;
}

/** Notes that it has ended. */
export function forgetTransaction(owner: Owner, connection: ServerTransaction): void {
  if (owner.transactions?.delete(connection) === true) open--;
}

/** Whether a statement may meet locks of a transaction that cannot end before the statement does. */
export function mayWaitForItself(owner: Owner, connection: ServerTransaction): boolean {
  if (open === 0) return false;
  // Nearly every statement ends here: its owner has one transaction at most, and works within no other.
  const own = owner.transactions?.size ?? 0;
  if ((own === 0 || (own === 1 && owner.transactions!.has(connection))) && worksAlone(owner)) return false;
  return ownTransactions(owner, connection).next().done !== true;
}

/**
 * Watches a statement that may wait for a lock of its own surroundings: if it takes long, the server is asked.
 *
 * @param found is given the error that ends the wait
 * @returns a function that ends the watch
 */
export function watchSelfWait(
  owner: Owner,
  connection: ServerTransaction,
  found: (error: SelfDeadlockError) => void,
): () => void {
  const over = new AbortController();
  const held = [...ownTransactions(owner, connection)];
  const timer = setTimeout(() => {
    void findSelfWait(connection, held, over.signal).then((holder) => {
      if (holder !== undefined && !over.signal.aborted) found(selfDeadlock(owner, connection, holder));
    });
  }, FIRST_LOOK);
  return () => {
    clearTimeout(timer);
    over.abort();
  };
}

/** Yields the transactions of an owner and of its surroundings that may be on the server of a connection. */
function* ownTransactions(owner: Owner, connection: ServerTransaction): IterableIterator<Held> {
  for (const own of surroundingOwners(owner)) {
    for (const other of own.transactions ?? NONE) {
      const isOpen = other !== connection && other.inTransaction;
      if (isOpen && mayShareServer(other.engine, connection.engine)) yield { owner: own, connection: other };
    }
  }
}

function mayShareServer(one: ServerEngine, other: ServerEngine): boolean {
  if (one === other) return true;
  if (one.family !== other.family) return false;
  const server = servers.get(one);
  return server === undefined || (servers.get(other) ?? server) === server;
}

/** Looks for what a statement waits, again and again until it is over. Returns the transaction of its surroundings that is in its way. */
async function findSelfWait(
  connection: ServerTransaction,
  held: readonly Held[],
  over: AbortSignal,
): Promise<Held | undefined> {
  let watch: LockWatch | undefined;
  let holder: Held | undefined;
  for (let pause = FIRST_LOOK; !over.aborted; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
    try {
      watch ??= await watchOf(connection);
      holder = await holderAmong(held, connection, watch);
      if (holder !== undefined) break;
    } catch {
      // The server could not be asked; it may answer the next time.
      watch?.close();
      watch = undefined;
    }
    if (!held.some((one) => one.connection.inTransaction)) break;
    await delay(pause, undefined, { signal: over }).catch(() => {});
  }
  watch?.close();
  return holder;
}

async function holderAmong(
  held: readonly Held[],
  { engine }: ServerTransaction,
  watch: LockWatch,
): Promise<Held | undefined> {
  const byNumber = new Map<number, Held>();
  for (const one of held) {
    const { connection } = one;
    // A transaction that does something may be about to end.
    if (!connection.inTransaction || connection.isBusy || connection.serverProcess === undefined) continue;
    if (connection.engine !== engine && !servers.has(connection.engine)) (await watchOf(connection)).close();
    if (mayShareServer(connection.engine, engine)) byNumber.set(connection.serverProcess, one);
  }
  const found = byNumber.size === 0 ? undefined : await watch.waitsFor(new Set(byNumber.keys()));
  return found === undefined ? undefined : byNumber.get(found);
}

async function watchOf(connection: ServerTransaction): Promise<LockWatch> {
  const watch = await connection.watchLocks();
  servers.set(connection.engine, watch.server);
  return watch;
}

function selfDeadlock(owner: Owner, { engine: { bindKey } }: ServerTransaction, holder: Held): SelfDeadlockError {
  const where = bindLabel(bindKey);
  const there = bindLabel(holder.connection.engine.bindKey);
  return new SelfDeadlockError(
    `${owner.label} waits for itself: on ${where} it needs a lock that the transaction of ${holder.owner.label}` +
      `${there === where ? "" : ` on ${there}, the same server,`} holds until ${owner.label} is done. ` +
      `Commit or roll back ${holder.owner.label} first, or do the work in it.`,
    { bindKey },
  );
}
