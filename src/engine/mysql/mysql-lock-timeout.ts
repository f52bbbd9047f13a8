import type { LockTimeout } from "../family.ts";

/**
 * InnoDB's waits for rows and the server's waits for tables, in whole seconds of at least one. They belong to the
 * connection, so the values before are kept in variables of it.
 */
export const mysqlLockTimeout: LockTimeout = {
  bound(timeout) {
    const seconds = Math.max(1, Math.ceil(timeout / 1000));
    const settings = ["innodb_lock_wait_timeout", "lock_wait_timeout"];
    const bounds = settings.map((name) => `@multibind_${name} = @@${name}, ${name} = least(@@${name}, ${seconds})`);
    return `set ${bounds.join(", ")}`;
  },
  restore:
    "set innodb_lock_wait_timeout = @multibind_innodb_lock_wait_timeout, lock_wait_timeout = @multibind_lock_wait_timeout",
};
