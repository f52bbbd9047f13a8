import type { BindKey } from "../../../src/index.ts";
import type { Databases } from "../run/databases.ts";
import type { SchemaFacts } from "./facts.ts";

/** Lets generated keys go on behind rows that were inserted with keys of their own. SQLite does that by itself. */
export async function advanceSequences(
  facts: SchemaFacts,
  bindKeys: readonly BindKey[],
  databases: Databases,
): Promise<void> {
  for (const bindKey of bindKeys) {
    if (databases.familyOf(bindKey) !== "postgres") continue;
    for (const { table, columns } of facts.tablesOf(bindKey)) {
      const [key, ...others] = columns.filter((column) => column.key);
      if (key === undefined || others.length > 0 || key.type !== "int" || key.reference !== undefined) continue;
      const next = `(select coalesce(max("${key.name}"), 0) + 1 from "${table}")`;
      await databases.run(
        bindKey,
        `select setval(pg_get_serial_sequence('"${table}"', '${key.name}'), ${next}, false)`,
      );
    }
  }
}
