import { createHash, randomBytes } from "node:crypto";
import type { BindKey } from "../../bind-key.ts";

/** What the id of a prepared transaction says; 56 characters of `[a-z0-9:]`. */
export interface Gid {
  /** Who decides: a random name that the decision bind's database keeps. */
  readonly domain: string;
  /** The transaction over all binds. */
  readonly transactionId: string;
  /** The bind whose part this is, shortened. */
  readonly branch: string;
}

const PATTERN = /^multibind:([0-9a-f]{16}):([0-9a-f]{20}):([0-9a-f]{8})$/;

/** A name for a new domain. */
export function newDomain(): string {
  return randomBytes(8).toString("hex");
}

/** An id for a new transaction. */
export function newTransactionId(): string {
  return randomBytes(10).toString("hex");
}

/** What stands for a bind in its transactions' ids: servers that hold several binds want them to differ. */
export function branchOf(bindKey: BindKey): string {
  const text = bindKey === null ? "default" : `bind ${bindKey}`;
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** The id as text. */
export function gidText({ domain, transactionId, branch }: Gid): string {
  return `multibind:${domain}:${transactionId}:${branch}`;
}

/** Reads an id; undefined where it is somebody else's. */
export function parseGid(text: string): Gid | undefined {
  const [, domain, transactionId, branch] = PATTERN.exec(text) ?? [];
  return branch === undefined ? undefined : { domain: domain!, transactionId: transactionId!, branch };
}
