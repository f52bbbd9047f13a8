import { type Application, integer, Multibind, uuid } from "../../src/index.ts";

/** Money in two databases. What is on one side of a transfer has to be on the other. */
export const db = new Multibind<"left" | "right">();

/** One row of each account, and one for each transfer, in the left database. */
export class LeftAccount extends db.model(
  "left_account",
  { id: integer().primaryKey(), balance: integer() },
  { bindKey: "left" },
) {}
export class LeftTransfer extends db.model(
  "left_transfer",
  { id: uuid().primaryKey(), amount: integer() },
  { bindKey: "left" },
) {}

/** The same in the right one. */
export class RightAccount extends db.model(
  "right_account",
  { id: integer().primaryKey(), balance: integer() },
  { bindKey: "right" },
) {}
export class RightTransfer extends db.model(
  "right_transfer",
  { id: uuid().primaryKey(), amount: integer() },
  { bindKey: "right" },
) {}

export const ACCOUNTS = 5;
const OPENING = 1_000;

/** What all accounts hold together, always. */
export const TOTAL = 2 * ACCOUNTS * OPENING;

export interface BankUrls {
  readonly left: string;
  readonly right: string;
}

/** The bank of two databases. */
export function openBank({ left, right }: BankUrls): Application<"left" | "right"> {
  return db.init({
    binds: { left: { url: left, poolTimeout: 5 }, right: { url: right, poolTimeout: 5 } },
    commitPolicy: "twoPhase",
  });
}

/** Makes the tables and the accounts. */
export async function found(urls: BankUrls): Promise<void> {
  const app = openBank(urls);
  await app.createAll();
  await app.transaction(() => {
    for (let id = 1; id <= ACCOUNTS; id++) {
      db.session.add(new LeftAccount({ id, balance: OPENING }));
      db.session.add(new RightAccount({ id, balance: OPENING }));
    }
  });
  await app.dispose();
}

/** Moves some money from one database to the other. Returns the transfer's id when it is committed. */
export async function transfer(app: Application<"left" | "right">): Promise<string> {
  const id = crypto.randomUUID();
  await app.transaction(async () => {
    const { session } = db;
    const amount = Math.floor(Math.random() * 100) - 50;
    // Always in the same order, so that transfers do not wait for each other in a circle over two databases.
    const left = await session.getOne(LeftAccount, randomAccount(), { lock: true });
    const right = await session.getOne(RightAccount, randomAccount(), { lock: true });
    left.balance -= amount;
    right.balance += amount;
    session.add(new LeftTransfer({ id, amount: -amount }));
    session.add(new RightTransfer({ id, amount }));
  });
  return id;
}

function randomAccount(): number {
  return 1 + Math.floor(Math.random() * ACCOUNTS);
}
