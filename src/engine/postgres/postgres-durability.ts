import { sql } from "kysely";
import type { Durability } from "../family.ts";

/** With `synchronous_commit = off` the server answers before a commit is on the disk. */
export const postgresDurability: Durability = {
  async within(run) {
    const [row] = await run(sql<{ readonly setting: string }>`select current_setting('synchronous_commit') as setting`);
    return row?.setting === "off" ? "set local synchronous_commit to local" : undefined;
  },
};
