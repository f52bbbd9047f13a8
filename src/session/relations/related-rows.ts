import { UnsupportedError } from "../../errors/configuration.ts";
import type { Entity } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { Relation, RelationLink } from "../../model/relations/relation.ts";
import { Select } from "../../query/select/select.ts";
import type { ReadOptions, SelectStatement } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { KeyReader } from "./key-reader.ts";
import type { KeySet } from "./key-set.ts";
import type { KeyedSource } from "./keyed-rows.ts";
import { followColumns } from "./membership.ts";

const NONE: readonly Entity[] = Object.freeze([]);

/**
 * Reads the entities that a relation leads to.
 *
 * @param wanted the keys of those that it leads from; parts may be null or unknown
 * @returns for each of the keys its entities
 */
export async function readRelated(
  reader: KeyReader,
  work: UnitOfWork,
  relation: Relation,
  wanted: readonly (readonly unknown[])[],
  options: ReadOptions,
): Promise<readonly (readonly Entity[])[]> {
  const { link, target, statement } = relation;
  if (link !== undefined && link.table.bindKey !== target.table.bindKey)
    return readAcross(reader, relation, link, wanted, options);
  const { rows, keys } = reader.open(sourceOf(relation));
  const positions = wanted.map((key) => keys.add(key));
  const found = await reader.read(rows, keys, options);
  if (link === undefined && statement === undefined) followColumns(work, rows.source, keys, found);
  const lists: readonly (readonly Entity[])[] = link === undefined ? found : found.map((list) => [...new Set(list)]);
  return positions.map((position) => (position === undefined ? NONE : lists[position]!));
}

/**
 * The same where the rows of the link are in another bind: they are read first, then the entities that they lead to. A row
 * that leads to no entity is passed over.
 */
async function readAcross(
  reader: KeyReader,
  relation: Relation,
  link: RelationLink,
  wanted: readonly (readonly unknown[])[],
  options: ReadOptions,
): Promise<readonly (readonly Entity[])[]> {
  const { rows: links, keys } = reader.openLink(link);
  const positions = wanted.map((key) => keys.add(key));
  const others: (readonly unknown[])[][] = keys.keys.map(() => []);
  await reader.eachLink(links, keys, options, (other, position) => others[position]!.push(other));
  const found = others.map(() => new Set<Entity>());
  let first = 0;
  while (first < others.length) {
    const { rows, keys: targets } = reader.open(sourceOf(relation));
    const { holders, next } = holdersOf(others, first, targets, reader.chunkOf(rows));
    await reader.each(
      rows,
      targets,
      options,
      (entity, position) => {
        for (const holder of holders[position]!) found[holder]!.add(entity);
      },
      rows.mostKeys,
    );
    first = next;
  }
  const lists = found.map((entities) => [...entities]);
  return positions.map((position) => (position === undefined ? NONE : lists[position]!));
}

/**
 * Adds to a statement's keys what several sides lead to, so that each side's entities come in the order of one statement.
 *
 * @returns for each key the sides that lead to it, and the first side that there is no room for
 */
function holdersOf(
  others: readonly (readonly (readonly unknown[])[])[],
  first: number,
  targets: KeySet,
  chunk: number,
): { readonly holders: readonly number[][]; readonly next: number } {
  const holders: number[][] = [];
  let next = first;
  while (next < others.length && (next === first || targets.keys.length + others[next]!.length <= chunk)) {
    for (const other of others[next]!) {
      const position = targets.add(other);
      if (position === undefined) continue;
      if (position === holders.length) holders.push([]);
      holders[position]!.push(next);
    }
    next++;
  }
  return { holders, next };
}

const sources = new WeakMap<Mapper, Map<string, KeyedSource>>();
const links = new WeakMap<Relation, KeyedSource>();

/** Where the rows of a relation come from: the same for relations that one statement can serve. */
export function sourceOf(relation: Relation): KeyedSource {
  const { target: mapper, pairs, link, statement, isToOne } = relation;
  const orderBy = isToOne ? undefined : relation.orderBy;
  if (statement !== undefined)
    return {
      mapper,
      columns: pairs.map(({ other }) => other.name),
      statement: statementOf(relation, statement),
      orderBy,
    };
  if (link !== undefined && link.table.bindKey === mapper.table.bindKey) {
    let source = links.get(relation);
    if (source === undefined) {
      source = { mapper, columns: link.from.map(({ column }) => column.property), link, orderBy };
      links.set(relation, source);
    }
    return source;
  }
  const columns = (link?.to ?? pairs).map(({ other }) => other.name);
  let known = sources.get(mapper);
  if (known === undefined) {
    known = new Map();
    sources.set(mapper, known);
  }
  const text = JSON.stringify([columns, orderBy]);
  let source = known.get(text);
  if (source === undefined) {
    source = { mapper, columns, orderBy };
    known.set(text, source);
  }
  return source;
}

/** The select of a view, which is made for each read: there may be the present time in it. */
function statementOf({ label, target }: Relation, make: () => unknown): SelectStatement {
  const made = make();
  const { bindKey } = target.table;
  if (!(made instanceof Select)) {
    throw new UnsupportedError(
      `Expected the function of the view ${label} to return a select of the target, \`() => select(${target.name})\`.`,
      { bindKey },
    );
  }
  const { statement } = made;
  const { limit, offset } = statement.node;
  if (limit !== undefined || offset !== undefined) {
    throw new UnsupportedError(
      `Cannot read the view ${label}: its select has a limit or an offset, which would count the rows of all parents together.`,
      { bindKey },
    );
  }
  if (statement.result.kind === "entities" && statement.result.selection.mapper.isA(target)) return statement;
  throw new UnsupportedError(
    `Cannot read the view ${label}: its select reads something else than entities of ${target.label}.`,
    { bindKey },
  );
}
