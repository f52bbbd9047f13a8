import type { AsyncLocalStorage } from "node:async_hooks";
import { type EnclosingWork, enclosing, type Owner } from "../../engine/pool/owner.ts";

/** A `transaction(fn)` that is running, as its function and all that it calls see it. */
export interface TransactionScope extends EnclosingWork {
  /** The session whose transaction it is. */
  readonly session: object;
  /** The scope in which it was begun, perhaps of another session. */
  readonly around: TransactionScope | undefined;
  /** Whether its function has ended, though something that it began may still run. */
  hasEnded: boolean;
}

// Nothing but these functions encloses work.
const scopes = enclosing as AsyncLocalStorage<TransactionScope>;

/** The innermost `transaction(fn)` of a session that the caller runs in and whose function has not ended. */
export function scopeHere(session: object): TransactionScope | undefined {
  let scope = scopes.getStore();
  while (scope !== undefined && (scope.session !== session || scope.hasEnded)) scope = scope.around;
  return scope;
}

/** Whether the caller is code of a `transaction(fn)` of a session whose function has ended. */
export function isLate(session: object): boolean {
  let scope = scopes.getStore();
  while (scope !== undefined && scope.session !== session) scope = scope.around;
  return scope?.hasEnded === true;
}

/** Makes a scope around which is what the caller runs in. */
export function newScope(session: object, owner: Owner): TransactionScope {
  return { session, owner, around: scopes.getStore(), hasEnded: false };
}

/** Runs a function in a scope, which ends with it. */
export async function inScope<T>(scope: TransactionScope, run: () => Promise<T>): Promise<T> {
  try {
    return await scopes.run(scope, run);
  } finally {
    scope.hasEnded = true;
  }
}
