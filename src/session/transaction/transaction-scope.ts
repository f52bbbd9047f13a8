import { AsyncLocalStorage } from "node:async_hooks";

/** A `transaction(fn)` that is running, as its function and all that it calls see it. */
export interface TransactionScope {
  /** The session whose transaction it is. */
  readonly session: object;
  /** The scope in which it was begun, perhaps of another session. */
  readonly around: TransactionScope | undefined;
  /** Whether its function has ended, though something that it began may still run. */
  hasEnded: boolean;
}

const scopes = new AsyncLocalStorage<TransactionScope>();

/** The innermost `transaction(fn)` of a session that the caller runs in. */
export function scopeHere(session: object): TransactionScope | undefined {
  let scope = scopes.getStore();
  while (scope !== undefined && (scope.session !== session || scope.hasEnded)) scope = scope.around;
  return scope;
}

/** Makes a scope around which is what the caller runs in. */
export function newScope(session: object): TransactionScope {
  return { session, around: scopes.getStore(), hasEnded: false };
}

/** Runs a function in a scope. */
export function inScope<T>(scope: TransactionScope, run: () => T): T {
  return scopes.run(scope, run);
}
