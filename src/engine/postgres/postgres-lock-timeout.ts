import type { LockTimeout } from "../family.ts";

/** PostgreSQL's `lock_timeout` for the rest of the transaction; 0 is its word for no bound. */
export const postgresLockTimeout: LockTimeout = {
  bound(timeout) {
    const bound = `${Math.max(1, Math.round(timeout))}ms`;
    return (
      `select set_config('lock_timeout', '${bound}', true) ` +
      `where current_setting('lock_timeout')::interval not between '1 ms' and '${bound}'`
    );
  },
};
