import type { Durability } from "../family.ts";

/**
 * With `synchronous_commit = off` the server answers before a commit is on the disk. Asked in each transaction: SQL text, or
 * another client of a pooler, may have changed it on the connection.
 */
export const postgresDurability: Durability = {
  within: "select set_config('synchronous_commit', 'local', true) where current_setting('synchronous_commit') = 'off'",
};
