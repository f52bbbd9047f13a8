import type { Metadatas } from "../../schema/metadatas.ts";
import type { AnyTable } from "../../schema/table.ts";
import { sortTables } from "../../schema/table-order.ts";
import type { TableRank } from "./flush-order.ts";

interface Ranks {
  /** The tables that there were, and how many foreign keys each had. */
  readonly sorted: readonly (readonly [AnyTable, number])[];
  readonly ranks: ReadonlyMap<AnyTable, number>;
}

const cache = new WeakMap<Metadatas, Ranks>();

/** Each table's place among those of its bind, parents first; sorted again when tables have come or been replaced. */
export function tableRanks(metadatas: Metadatas): TableRank {
  const present = [...metadatas].flatMap(([, { tables }]) =>
    [...tables.values()].map((table) => [table, table.foreignKeys.length] as const),
  );
  let known = cache.get(metadatas);
  if (known === undefined || !isSame(known.sorted, present)) {
    const ranks = new Map<AnyTable, number>();
    for (const [, { tables }] of metadatas) {
      sortTables(tables.values(), metadatas).tables.forEach((table, rank) => {
        ranks.set(table, rank);
      });
    }
    known = { sorted: present, ranks };
    cache.set(metadatas, known);
  }
  const { ranks } = known;
  return (table) => ranks.get(table) ?? ranks.size;
}

function isSame(before: Ranks["sorted"], now: Ranks["sorted"]): boolean {
  return (
    before.length === now.length &&
    now.every(([table, keys], index) => before[index]![0] === table && before[index]![1] === keys)
  );
}
