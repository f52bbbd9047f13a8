import { setTimeout as delay } from "node:timers/promises";
import type { Application } from "../../src/index.ts";
import { db, LeftAccount, LeftTransfer, RightAccount, RightTransfer, TOTAL } from "./bank.ts";

/** How long a lock may stay after everything was recovered, in milliseconds. */
const PATIENCE = 10_000;

/** What recovery has found and done. */
export interface Settled {
  readonly inDoubt: number;
  readonly committed: number;
  readonly rolledBack: number;
}

/** Recovers until nothing is left. */
export async function recoverAll(app: Application<"left" | "right">): Promise<Settled> {
  const inDoubt = (await app.inDoubt()).length;
  let [committed, rolledBack] = [0, 0];
  for (let round = 0; round < 20; round++) {
    const done = await app.recover();
    committed += done.committed.length;
    rolledBack += done.rolledBack.length;
    if (done.left.length === 0 && done.unreachable.length === 0) break;
    await delay(100);
  }
  return { inDoubt, committed, rolledBack };
}

/**
 * Looks whether the two databases agree. All rows are locked first, which shows that nobody else has.
 *
 * @param acknowledged the transfers whose commit has succeeded
 * @returns what is wrong, in words
 */
export async function audit(app: Application<"left" | "right">, acknowledged: ReadonlySet<string>): Promise<string[]> {
  const problems: string[] = [];
  const open = await app.inDoubt();
  if (open.length > 0) problems.push(`${open.length} transactions are prepared still`);
  const books = await Promise.race([readBooks(app), delay(PATIENCE, undefined, { ref: false })]);
  if (books === undefined) return [...problems, "rows are locked"];
  const { sum, left, right } = books;
  if (sum !== TOTAL) problems.push(`the accounts hold ${sum} and not ${TOTAL}`);
  for (const id of left) if (!right.has(id)) problems.push(`transfer ${id} is on the left side alone`);
  for (const id of right) if (!left.has(id)) problems.push(`transfer ${id} is on the right side alone`);
  for (const id of acknowledged) if (!left.has(id)) problems.push(`transfer ${id} was committed and is gone`);
  return problems;
}

/** Reads all accounts and transfers, and clears the transfers away. */
function readBooks(app: Application<"left" | "right">) {
  return app.transaction(async () => {
    const { session } = db;
    const [ours, theirs] = [
      await session.select(LeftAccount).forUpdate().all(),
      await session.select(RightAccount).forUpdate().all(),
    ];
    const [left, right] = [await session.select(LeftTransfer).all(), await session.select(RightTransfer).all()];
    await db.deleteFrom(LeftTransfer).execute();
    await db.deleteFrom(RightTransfer).execute();
    return {
      sum: [...ours, ...theirs].reduce((sum, { balance }) => sum + balance, 0),
      left: new Set(left.map(({ id }) => id)),
      right: new Set(right.map(({ id }) => id)),
    };
  });
}
