import { AsyncLocalStorage } from "node:async_hooks";

/** The sessions that do not flush by themselves in what the caller runs in. */
const quiet = new AsyncLocalStorage<ReadonlySet<object>>();

/** Whether the caller runs in `noAutoflush` of a session. */
export function isAutoflushOff(session: object): boolean {
  return quiet.getStore()?.has(session) === true;
}

/** Runs a function in which a session does not flush by itself; what runs beside it is not affected. */
export function withoutAutoflush<T>(session: object, run: () => T): T {
  return quiet.run(new Set([...(quiet.getStore() ?? []), session]), run);
}
