import { createHash, randomBytes } from "node:crypto";
import type { BindKey } from "../../bind-key.ts";

/** The content of a prepared transaction's id; 60 characters of `[a-z0-9:]`. */
export interface Gid extends Decider {
  /** The transaction over all binds. */
  readonly transactionId: string;
  /** The bind whose part this is, shortened. */
  readonly branch: string;
}

/** Who decides on prepared transactions. */
export interface Decider {
  /** A random name that the decision bind's database keeps. A copy of the database has it too. */
  readonly domain: string;
  /** The database itself, shortened. A copy of it is another one. */
  readonly database: string;
}

const PATTERN = /^multibind:([0-9a-f]{16}):([0-9a-z]{7}):([0-9a-z]{16}):([0-9a-f]{8})$/;

/** A name for a new domain. */
export function newDomain(): string {
  return randomBytes(8).toString("hex");
}

/** An id for a new transaction. */
export function newTransactionId(): string {
  return base36(randomBytes(10).toString("hex"), 16);
}

/** What stands for a database, by all that tells it from its copies. */
export function databaseOf(identity: readonly string[]): string {
  return base36(hash(JSON.stringify(identity)).slice(0, 9), 7);
}

/** What stands for a bind in its transactions' ids: servers that hold several binds want them to differ. */
export function branchOf(bindKey: BindKey): string {
  return hash(bindKey === null ? "default" : `bind ${bindKey}`).slice(0, 8);
}

/** The id as text. */
export function gidText({ domain, database, transactionId, branch }: Gid): string {
  return `multibind:${domain}:${database}:${transactionId}:${branch}`;
}

/** Reads an id; undefined where it is another program's. */
export function parseGid(text: string): Gid | undefined {
  const [, domain, database, transactionId, branch] = PATTERN.exec(text) ?? [];
  if (branch === undefined) return undefined;
  return { domain: domain!, database: database!, transactionId: transactionId!, branch };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function base36(hex: string, length: number): string {
  return BigInt(`0x${hex}`).toString(36).padStart(length, "0");
}
