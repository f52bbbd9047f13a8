import { NOOP_QUERY_EXECUTOR, QueryCreator, type SelectQueryNode } from "kysely";
import type { Entity } from "../../model/entity.ts";
import { modelsAsTables } from "../../model/models-as-tables.ts";
import type { Relation, RelationLink } from "../../model/relations/relation.ts";
import type { ReadOptions, SelectRunner } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { keyText, valueFor } from "./key-text.ts";
import { KeyedRead, type KeyedRows } from "./keyed-read.ts";

type LinkRow = Readonly<Record<string, unknown>>;

/** The most keys in one statement. */
const PORTION = 500;

/**
 * Reads the entities that rows of a link lead to, by the keys of the other side: first the link's rows, in its own bind, then
 * the entities, in theirs. A row of the link that leads to no entity is passed over.
 */
export async function readLinks(
  relation: Relation,
  link: RelationLink,
  keys: ReadonlyMap<string, readonly unknown[]>,
  selects: SelectRunner,
  work: UnitOfWork,
  options: ReadOptions,
): Promise<KeyedRows> {
  const rowsOf = await linkRowsByKey(link, keys, selects, options);
  const { other, column } = link.to[0]!;
  const targetKey = (row: LinkRow) => [valueFor(other, row[column.property])];
  const wanted = new Map([...rowsOf.values()].flat().map((row) => [keyText(targetKey(row)), targetKey(row)]));
  const read = new KeyedRead(selects, work, {
    target: relation.target,
    properties: link.to.map((one) => one.other),
    orderBy: relation.orderBy,
    statement: undefined,
  });
  const targets = await read.run(wanted, options);
  const place = new Map([...targets.values()].flat().map((entity, index) => [entity, index]));
  const found: KeyedRows = new Map();
  for (const [text, rows] of rowsOf) {
    const entities = new Set(rows.flatMap((row) => targets.get(keyText(targetKey(row))) ?? []));
    found.set(text, [...entities].sort(inOrderOf(place)));
  }
  return found;
}

async function linkRowsByKey(
  link: RelationLink,
  keys: ReadonlyMap<string, readonly unknown[]>,
  selects: SelectRunner,
  options: ReadOptions,
): Promise<ReadonlyMap<string, readonly LinkRow[]>> {
  const own = link.from[0]!.column.property;
  const textOf = (row: LinkRow) => keyText([row[own]]);
  const found = new Map<string, readonly LinkRow[]>();
  const all = [...keys];
  for (let start = 0; start < all.length; start += PORTION) {
    const portion = all.slice(start, start + PORTION);
    const rows = await linkRows(link, portion, selects, options);
    if (rows.every((row) => keys.has(textOf(row)))) {
      for (const [text, own] of Map.groupBy(rows, textOf)) found.set(text, own);
      continue;
    }
    // Keys that the database takes for equal differ here: only it can say which row belongs to which.
    for (const entry of portion) found.set(entry[0], await linkRows(link, [entry], selects, options));
  }
  return found;
}

function inOrderOf(place: ReadonlyMap<Entity, number>): (one: Entity, other: Entity) => number {
  return (one, other) => place.get(one)! - place.get(other)!;
}

async function linkRows(
  { table, from, to }: RelationLink,
  keys: readonly (readonly [string, readonly unknown[]])[],
  selects: SelectRunner,
  options: ReadOptions,
): Promise<LinkRow[]> {
  const creator = new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR });
  const [own, other] = [from[0]!.column.property, to[0]!.column.property];
  // Kysely takes anything with a node for a table; its columns are known at run time only.
  const builder = modelsAsTables(creator.selectFrom(table as never))
    .select([own, other] as never)
    .where(own as never, "in", keys.map(([, [value]]) => value) as never);
  const node = builder.toOperationNode() as SelectQueryNode;
  return (await selects.read({ node, result: { kind: "rows" } }, options)) as LinkRow[];
}
