import { ModelClassError } from "../../errors/schema.ts";
import { MultipleResultsError, SessionError } from "../../errors/session.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import type { ReadTime } from "../../model/relations/held-reading.ts";
import { fillMany, fillOne, knownParent, loadedSince, readRelation } from "../../model/relations/related.ts";
import type { Relation } from "../../model/relations/relation.ts";
import type { IncludePlan } from "../../query/select/include.ts";
import type { ReadOptions } from "../../query/select/select-runner.ts";
import type { AnyTable } from "../../schema/table.ts";
import { valuesOf } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { KeyReference } from "../flush/key-reference.ts";
import type { KeyReader } from "./key-reader.ts";
import { readRelated, sourceOf } from "./related-rows.ts";

const NO_TABLES: ReadonlySet<AnyTable> = new Set();

/** How relations are loaded. */
export interface RelationLoadOptions extends ReadOptions {
  /** Whether those that are loaded are read again. */
  readonly refresh: boolean;
  /** Is told each relation that the database is about to be asked for. */
  readonly onRead?: ((relation: Relation) => void) | undefined;
}

/** Entities, and which relations of them to load. */
export interface Root {
  readonly entities: ReadonlySet<Entity>;
  readonly plan: IncludePlan;
}

/** One relation of the entities of a level, and what was found for each. */
interface Job {
  readonly relation: Relation;
  readonly below: IncludePlan;
  /** The entities whose relation the database is asked for. */
  readonly asked: readonly Entity[];
  /** The entities that the others lead to, which are there already. */
  readonly known: readonly Entity[];
  /** Those with a parent that the session has, which is kept for when the entity leaves the session. */
  readonly withParent: readonly (readonly [entity: Entity, parent: Entity])[];
  /** The entities that were found for each that was asked for. */
  found: readonly (readonly Entity[])[];
}

/**
 * Loads relations of many entities at once: level by level, one statement for each relation and portion of keys, the
 * binds of a level side by side. Nothing is set before the last statement has come back.
 *
 * @see SQLAlchemy: `selectinload`
 */
export class RelationLoader {
  readonly #work: UnitOfWork;
  readonly #reader: KeyReader;

  constructor(work: UnitOfWork, reader: KeyReader) {
    this.#work = work;
    this.#reader = reader;
  }

  async load(roots: readonly Root[], { refresh, signal, autoflush, onRead }: RelationLoadOptions): Promise<void> {
    const options: ReadOptions = { signal, autoflush };
    const readTime = this.#work.startReadingRelations();
    const pending = refresh ? NO_TABLES : this.#work.pendingTables();
    const done: Job[] = [];
    let level = roots;
    while (level.length > 0) {
      const jobs = level.flatMap((one) =>
        one.plan.map(({ relation, below }) =>
          this.#job(relation, below, one.entities, refresh || tablesOf(relation).some((table) => pending.has(table))),
        ),
      );
      if (onRead !== undefined) for (const { relation, asked } of jobs) if (asked.length > 0) onRead(relation);
      await this.#read(jobs, options);
      done.push(...jobs);
      level = jobs
        .map((job): Root => ({ entities: new Set([...job.known, ...job.found.flat()]), plan: job.below }))
        .filter((one) => one.plan.length > 0 && one.entities.size > 0);
    }
    for (const job of done) requireOneEach(job);
    for (const job of done) fill(job, readTime);
  }

  #job(relation: Relation, below: IncludePlan, entities: ReadonlySet<Entity>, refresh: boolean): Job {
    const asked: Entity[] = [];
    const known: Entity[] = [];
    const withParent: [Entity, Entity][] = [];
    for (const entity of entities) {
      requireNoField(entity, relation);
      const parent = this.#freshParent(entity, relation);
      if (parent !== undefined) {
        known.push(parent);
        withParent.push([entity, parent]);
        continue;
      }
      const held = this.#held(entity, relation, refresh);
      if (held !== undefined) known.push(...held);
      else asked.push(entity);
    }
    return { relation, below, asked, known, withParent, found: [] };
  }

  #freshParent(entity: Entity, relation: Relation): Entity | undefined {
    if (relation.kind !== "belongsTo" || ownKey(entity, relation).some(isNoValue)) return undefined;
    const parent = knownParent(entity, relation);
    return parent === undefined || this.#work.isStale(parent) ? undefined : parent;
  }

  /** The entities that a relation leads to without a read; undefined where it must be read. */
  #held(entity: Entity, relation: Relation, refresh: boolean): readonly Entity[] | undefined {
    const row = rowOf(entity);
    if (relation.kind === "belongsTo") {
      const values = ownKey(entity, relation);
      const reference = values.find((value) => value instanceof KeyReference);
      if (reference !== undefined) return [reference.entity];
      if (values.some((value) => value === null || value === undefined)) return [];
    } else if (row === null) return [];
    if (refresh) return undefined;
    const since = loadedSince(entity, relation);
    if (since === undefined || since < this.#work.freshSince(tablesOf(relation))) return undefined;
    const value = readRelation(entity, relation.name) as Entity | null | Iterable<Entity>;
    return value === null ? [] : Symbol.iterator in value ? [...value] : [value];
  }

  /** Reads what is asked for. Relations that look for the same keys in the same columns are one statement. */
  async #read(jobs: readonly Job[], options: ReadOptions): Promise<void> {
    const groups = Map.groupBy(
      jobs.filter(({ asked }) => asked.length > 0),
      ({ relation }) => groupOf(relation),
    );
    const outcomes = await Promise.allSettled([...groups.values()].map((group) => this.#readGroup(group, options)));
    // Others of the level have come to their end too.
    for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
  }

  async #readGroup(group: readonly Job[], options: ReadOptions): Promise<void> {
    const wanted = group.flatMap(({ relation, asked }) => asked.map((entity) => ownKey(entity, relation)));
    const found = await readRelated(this.#reader, this.#work, group[0]!.relation, wanted, options);
    let first = 0;
    for (const job of group) {
      job.found = found.slice(first, first + job.asked.length);
      first += job.asked.length;
    }
  }
}

function fill({ relation, asked, found, withParent }: Job, time: ReadTime): void {
  for (const [entity, parent] of withParent) fillOne(entity, relation, parent, time);
  for (const [index, entity] of asked.entries()) {
    const items = found[index]!;
    if (relation.isToOne) fillOne(entity, relation, items[0] ?? null, time);
    else fillMany(entity, relation, items, time);
  }
}

function isNoValue(value: unknown): boolean {
  return value === null || value === undefined || value instanceof KeyReference;
}

/** The tables whose rows say which entities a relation leads to. */
function tablesOf({ target, link }: Relation): readonly AnyTable[] {
  return link === undefined ? target.tables : [...target.tables, link.table];
}

/** Equal for relations that one statement can serve. */
function groupOf(relation: Relation): unknown {
  return relation.statement === undefined && relation.link === undefined ? sourceOf(relation) : relation;
}

/** The values of an entity that the rows of a relation are found by. */
function ownKey(entity: Entity, { pairs, link }: Relation): readonly unknown[] {
  const values = valuesOf(entity);
  return (link?.from ?? pairs).map(({ own }) => values[own.name]);
}

/** @throws {MultipleResultsError} if a relation to one entity leads to several */
function requireOneEach({ relation, found }: Job): void {
  if (!relation.isToOne || found.every(({ length }) => length <= 1)) return;
  throw new MultipleResultsError(
    `Expected one row of ${relation.target.label} for ${relation.label}, but found several with the same key.`,
    { bindKey: relation.target.table.bindKey },
  );
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
