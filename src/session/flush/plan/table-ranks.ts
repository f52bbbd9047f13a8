import type { Metadata } from "../../../schema/metadata.ts";
import type { Metadatas } from "../../../schema/metadatas.ts";
import type { AnyTable } from "../../../schema/table.ts";
import { sortTables } from "../../../schema/table-order.ts";
import type { TableRank } from "./topological-order.ts";

interface Ranks {
  readonly revision: number;
  readonly byTable: ReadonlyMap<AnyTable, number>;
}

const known = new WeakMap<Metadata, Ranks>();

/** Each table's position among those of its bind, parents first; sorted again when tables have come or been replaced. */
export function tableRanks(metadatas: Metadatas): TableRank {
  return (table) => {
    const metadata = metadatas.get(table.bindKey);
    let ranks = known.get(metadata);
    if (ranks?.revision !== metadata.revision) {
      const { tables } = sortTables(metadata.tables.values(), metadatas);
      ranks = { revision: metadata.revision, byTable: new Map(tables.map((one, rank) => [one, rank])) };
      known.set(metadata, ranks);
    }
    return ranks.byTable.get(table) ?? ranks.byTable.size;
  };
}
