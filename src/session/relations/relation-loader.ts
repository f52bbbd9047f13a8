import { ModelClassError } from "../../errors/schema.ts";
import { MultipleResultsError, SessionError } from "../../errors/session.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import { fillMany, fillOne, knownParent, loadedSince, readRelation } from "../../model/relations/related.ts";
import type { Relation } from "../../model/relations/relation.ts";
import type { IncludePlan } from "../../query/select/include.ts";
import type { ReadOptions, SelectRunner } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { KeyReference } from "../flush/key-reference.ts";
import { keyText, valueFor } from "./key-text.ts";
import { KeyedRead, type KeyedRows } from "./keyed-read.ts";
import { readLinks } from "./link-read.ts";

/** How relations are loaded. */
export interface RelationLoadOptions extends ReadOptions {
  /** Whether those that are loaded are read again. */
  readonly refresh: boolean;
}

/** One relation of the entities of a level, and what was found for each. */
interface Job {
  readonly relation: Relation;
  readonly below: IncludePlan;
  /** The entities whose relation the database is asked for, each with the key to look for. */
  readonly asked: readonly { readonly entity: Entity; readonly key: readonly unknown[] }[];
  /** The entities that the others lead to, which are there already. */
  readonly known: readonly Entity[];
  /** The rows that were found, by the text of the key. */
  found: KeyedRows;
}

/**
 * Loads relations of many entities at once: level by level, one statement for each relation and portion of keys, the
 * binds of a level side by side. Nothing is set before the last statement has come back.
 *
 * @see SQLAlchemy: `selectinload`
 */
export class RelationLoader {
  readonly #work: UnitOfWork;
  readonly #selects: SelectRunner;

  constructor(work: UnitOfWork, selects: SelectRunner) {
    this.#work = work;
    this.#selects = selects;
  }

  async load(
    entities: readonly Entity[],
    plan: IncludePlan,
    { refresh, signal, autoflush }: RelationLoadOptions,
  ): Promise<void> {
    const options: ReadOptions = { signal, autoflush };
    const done: Job[] = [];
    let level: readonly { readonly entities: ReadonlySet<Entity>; readonly plan: IncludePlan }[] = [
      { entities: new Set(entities), plan },
    ];
    while (level.length > 0) {
      const jobs = level.flatMap((one) =>
        one.plan.map(({ relation, below }) => this.#job(relation, below, one.entities, refresh)),
      );
      await this.#read(jobs, options);
      done.push(...jobs);
      level = jobs
        .map((job) => ({ entities: new Set([...job.known, ...targetsOf(job)]), plan: job.below }))
        .filter((one) => one.plan.length > 0 && one.entities.size > 0);
    }
    for (const job of done) requireOneEach(job);
    for (const job of done) this.#fill(job);
  }

  #job(relation: Relation, below: IncludePlan, entities: ReadonlySet<Entity>, refresh: boolean): Job {
    const asked: { entity: Entity; key: readonly unknown[] }[] = [];
    const known: Entity[] = [];
    for (const entity of entities) {
      requireNoField(entity, relation);
      const held = this.#held(entity, relation, refresh);
      if (held !== undefined) known.push(...held);
      else asked.push({ entity, key: ownKey(entity, relation) });
    }
    return { relation, below, asked, known, found: new Map() };
  }

  /** The entities that a relation leads to without a read; undefined where it must be read. */
  #held(entity: Entity, relation: Relation, refresh: boolean): readonly Entity[] | undefined {
    const row = rowOf(entity);
    if (relation.kind === "belongsTo") {
      const values = ownKey(entity, relation);
      const reference = values.find((value) => value instanceof KeyReference);
      if (reference !== undefined) return [reference.entity];
      if (values.some((value) => value === null || value === undefined)) return [];
      const parent = knownParent(entity, relation);
      if (parent !== undefined && !this.#work.isStale(parent)) return [parent];
    } else if (row === null) return [];
    if (refresh) return undefined;
    const since = loadedSince(entity, relation);
    if (since === undefined || since < this.#work.epoch) return undefined;
    const value = readRelation(entity, relation.name) as Entity | null | Iterable<Entity>;
    return value === null ? [] : Symbol.iterator in value ? [...value] : [value];
  }

  /** Reads what is asked for. Relations that look for the same keys in the same columns are one statement. */
  async #read(jobs: readonly Job[], options: ReadOptions): Promise<void> {
    const groups = Map.groupBy(
      jobs.filter(({ asked }) => asked.length > 0),
      ({ relation }) => sourceOf(relation),
    );
    const outcomes = await Promise.allSettled([...groups.values()].map((group) => this.#readGroup(group, options)));
    // Others of the level have come to their end too.
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #readGroup(group: readonly Job[], options: ReadOptions): Promise<void> {
    const { relation } = group[0]!;
    const keys = new Map<string, readonly unknown[]>();
    for (const { asked } of group) for (const { key } of asked) keys.set(keyText(key), key);
    const found = await this.#rowsOf(relation, keys, options);
    for (const job of group) job.found = found;
  }

  #rowsOf(relation: Relation, keys: ReadonlyMap<string, readonly unknown[]>, options: ReadOptions): Promise<KeyedRows> {
    if (relation.link !== undefined)
      return readLinks(relation, relation.link, keys, this.#selects, this.#work, options);
    const { target, pairs, orderBy, statement } = relation;
    const read = new KeyedRead(this.#selects, this.#work, {
      target,
      properties: pairs.map(({ other }) => other),
      orderBy,
      statement,
    });
    return read.run(keys, options);
  }

  #fill({ relation, asked, found }: Job): void {
    const { epoch } = this.#work;
    for (const { entity, key } of asked) {
      const items = found.get(keyText(key)) ?? [];
      if (relation.isToOne) fillOne(entity, relation, items[0] ?? null, epoch);
      else fillMany(entity, relation, items, epoch);
    }
  }
}

/** The values of an entity that the rows of a relation are found by, as the columns of the other side take them. */
function ownKey(entity: Entity, { pairs, link }: Relation): readonly unknown[] {
  const values = entity as unknown as Readonly<Record<string, unknown>>;
  if (link !== undefined) return link.from.map(({ own }) => values[own.name]);
  return pairs.map(({ own, other }) => {
    const value = values[own.name];
    return value instanceof KeyReference ? value : valueFor(other, value);
  });
}

/** Where the rows of a relation come from: equal for relations that one statement can serve. */
function sourceOf({ target, pairs, orderBy, statement, link }: Relation): unknown {
  if (statement !== undefined || link !== undefined) return Symbol(target.name);
  const columns = pairs.map(({ other }) => other.name);
  let sources = known.get(target);
  if (sources === undefined) {
    sources = new Map();
    known.set(target, sources);
  }
  const text = JSON.stringify([columns, orderBy]);
  const source = sources.get(text) ?? {};
  sources.set(text, source);
  return source;
}

const known = new WeakMap<object, Map<string, object>>();

function* targetsOf({ asked, found }: Job): Iterable<Entity> {
  for (const { key } of asked) yield* found.get(keyText(key)) ?? [];
}

/** @throws {MultipleResultsError} if a relation to one entity leads to several */
function requireOneEach({ relation, asked, found }: Job): void {
  if (!relation.isToOne) return;
  for (const { key } of asked) {
    if ((found.get(keyText(key))?.length ?? 0) <= 1) continue;
    throw new MultipleResultsError(
      `Expected one row of ${relation.target.label} for ${relation.label}, but found several with the same key.`,
      { bindKey: relation.target.table.bindKey },
    );
  }
}

/** @throws {ModelClassError} if a class field hides the relation */
function requireNoField(entity: Entity, { name, label, place }: Relation): void {
  if (!Object.hasOwn(entity, name)) return;
  throw new ModelClassError(
    `A field of ${mapperOf(entity).name} hides the relation ${label}. Write it with \`declare\`: declare readonly ${name}: ….`,
    { bindKey: place.bindKey },
  );
}

/** @throws {SessionError} if an entity does not belong to the session, so that nothing can be loaded for it */
export function requireOwn(work: UnitOfWork, entity: Entity): void {
  if (work.owns(entity)) return;
  throw new SessionError(
    `Cannot load relations of the ${entity.constructor.name}: it does not belong to this session. Read it, or add it, first.`,
    { bindKey: mapperOf(entity).table.bindKey },
  );
}
