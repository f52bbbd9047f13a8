import type { Engine } from "../../engine/engine.ts";
import { StaleDataError } from "../../errors/session.ts";
import { pinHiddenClass, UNUSED } from "../../hidden-class.ts";
import { type Entity, rowOf, type StoredRow } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { isUnchanged, restoreSnapshot, takeSnapshot } from "../../model/snapshot.ts";
import { NOTHING_FILLED } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { FlushTarget } from "../transaction/flush-target.ts";
import { Undo } from "../transaction/undo-log.ts";
import { alikeIn } from "./alike-rows.ts";
import type { DeleteUnit, FlushUnit, InsertUnit, UpdateUnit } from "./flush-unit.ts";
import { type NewValues, putKeys } from "./new-values.ts";
import type { RowLock } from "./row-locks.ts";
import { type InsertShape, rowShapes } from "./row-shape.ts";
import { fillIn, settle, settleKey, together } from "./settling.ts";

/** The database's values of a property, for each row. */
interface FilledColumn {
  readonly name: string;
  readonly values: readonly unknown[];
  /** Of a key that was stored in another form: the property, and what is remembered of the values that were sent. */
  readonly key?: { readonly property: MappedProperty; readonly sent: readonly unknown[] };
}

/** The part of a flush on one bind. */
export class BindFlush {
  readonly #place: FlushTarget;
  readonly #work: UnitOfWork;

  constructor(place: FlushTarget, work: UnitOfWork) {
    this.#place = place;
    this.#work = work;
  }

  get #engine(): Engine {
    return this.#place.engine;
  }

  /** Locks rows before statements that change them. */
  async lock(locks: readonly RowLock[]): Promise<void> {
    try {
      for (const lock of locks) await lock.take(this.#place.connection);
    } catch (error) {
      this.#place.fail(error);
      throw error;
    }
  }

  /**
   * Stores rows of one kind and model.
   *
   * @throws {StaleDataError} if rows to be updated or deleted are not there
   */
  async run(batch: readonly FlushUnit[]): Promise<void> {
    try {
      // A batch has rows of one kind.
      if (batch[0]!.kind === "insert") await this.#insert(batch as InsertUnit[]);
      else if (batch[0]!.kind === "update") await this.#update(batch as UpdateUnit[]);
      else await this.#delete(batch as DeleteUnit[]);
    } catch (error) {
      this.#place.fail(error);
      throw error;
    }
  }

  async #insert(units: readonly InsertUnit[]): Promise<void> {
    for (const alike of givenKeysFirst(alikeIn(units))) {
      const { mapper } = alike[0]!;
      const shape = rowShapes(mapper, this.#engine).forInsert(alike[0]!.values.properties);
      const values = resolvedValues(alike, this.#engine);
      const filled = await this.#insertRows(shape, values);
      for (let index = 0; index < alike.length; index++)
        this.#inserted(alike[index]!.entity, values[index]!, filled, index);
    }
  }

  #inserted(entity: Entity, { settling, row }: NewValues, columns: readonly FilledColumn[], index: number): void {
    let assigned = settle(entity, settling);
    for (const { name, values, key } of columns) {
      assigned =
        key === undefined
          ? fillIn(entity, name, values[index], assigned)
          : settleKey(entity, key.property, key.sent[index], values[index], assigned);
    }
    const byAdd = this.#work.inserted(entity, row);
    this.#place.undo.noteFirst(new Undo(entity, "inserted", null, together(byAdd, assigned)));
  }

  /** Writes rows to each of their tables, and notes in them what the database fills in. Returns that, by property. */
  async #insertRows({ parts }: InsertShape, rows: readonly NewValues[]): Promise<readonly FilledColumn[]> {
    const filled: FilledColumn[] = [];
    for (const part of parts) {
      const results = await part.statements.run(this.#place.connection, part.writtenRows(rows));
      for (const [position, { name, column }] of part.fetched.entries()) {
        const { kind } = column.definition.type;
        const values = results[position]!;
        for (let index = 0; index < rows.length; index++) rows[index]!.row[name] = takeSnapshot(kind, values[index]);
        filled.push({ name, values });
      }
      for (const [position, property] of part.confirmed.entries()) {
        const values = results[part.fetched.length + position];
        if (values === undefined) continue;
        const { kind } = property.column.definition.type;
        const sent = rows.map(({ row }) => row[property.name]);
        if (values.every((value, index) => isUnchanged(kind, value, sent[index]))) continue;
        for (let index = 0; index < rows.length; index++)
          rows[index]!.row[property.name] = takeSnapshot(kind, values[index]);
        filled.push({ name: property.name, values, key: { property, sent } });
      }
      for (const { source, property } of part.linked) {
        if (property === undefined) continue;
        const { kind } = source.column.definition.type;
        for (const { row } of rows) row[property.name] = row[source.name];
        const values = rows.map(({ row }) => restoreSnapshot(kind, row[source.name]));
        filled.push({ name: property.name, values });
      }
    }
    return filled;
  }

  async #update(units: readonly UpdateUnit[]): Promise<void> {
    const stale: Entity[] = [];
    for (const alike of alikeIn(units)) {
      const before = alike.map(rowBefore);
      const values = resolvedValues(alike, this.#engine);
      const stored = alike.some(isFollowed)
        ? alike.map((unit, index) => rowToFind(unit, before[index]!, values[index]!))
        : before;
      const { parts, changesKey } = rowShapes(alike[0]!.mapper, this.#engine).forUpdate(alike[0]!.values.properties);
      const missing = new Set<number>();
      for (const part of parts) {
        const written = part.writtenRows(values, stored);
        for (const index of await part.statements.run(this.#place.connection, written)) missing.add(index);
      }
      for (const index of missing) stale.push(alike[index]!.entity);
      const found = missing.size === 0 ? alike : alike.filter((_, index) => !missing.has(index));
      // Rows may take each other's keys.
      if (changesKey) for (const { entity, replaced } of found) this.#work.leaveKey(replaced ?? entity);
      const isFirst = this.#place.undo.isEmpty;
      for (let index = 0; index < alike.length; index++) {
        if (missing.has(index)) continue;
        if (alike[index]!.replaced === undefined)
          this.#updated(alike[index]!.entity, values[index]!, before[index]!, changesKey, isFirst);
        else this.#tookOver(alike[index]!, values[index]!, before[index]!);
      }
    }
    if (stale.length > 0) throw staleRows(units[0]!.mapper, "updated", stale);
  }

  /** @param isFirst whether nothing was noted in the transaction before these rows */
  #updated(entity: Entity, values: NewValues, before: StoredRow, hasLeft: boolean, isFirst: boolean): void {
    const row = values.over(rowOf(entity)!);
    const assigned = settle(entity, values.settling);
    this.#work.updated(entity, row, hasLeft);
    const done = new Undo(entity, "updated", before, assigned);
    if (isFirst) this.#place.undo.noteFirst(done);
    else this.#place.undo.note(done);
  }

  #tookOver({ entity, replaced, mapper }: UpdateUnit, values: NewValues, before: StoredRow): void {
    const row = values.over(rowOf(replaced!)!);
    let assigned = settle(entity, values.settling);
    const { undo } = this.#place;
    undo.note(new Undo(replaced!, "deleted", before, NOTHING_FILLED));
    this.#work.removed(replaced!);
    for (const { name, column } of mapper.properties) {
      assigned = fillIn(entity, name, restoreSnapshot(column.definition.type.kind, row[name]), assigned);
    }
    undo.noteFirst(new Undo(entity, "inserted", null, together(this.#work.inserted(entity, row), assigned)));
  }

  async #delete(units: readonly DeleteUnit[]): Promise<void> {
    const { mapper } = units[0]!;
    const rows = units.map(({ entity }) => rowOf(entity)!);
    const missing = new Set<number>();
    for (const { told, statements } of rowShapes(mapper, this.#engine).deletes) {
      const keys = rows.map((row) => told.of(row));
      for (const index of await statements.run(this.#place.connection, keys)) missing.add(index);
    }
    if (missing.size > 0) {
      throw staleRows(
        mapper,
        "deleted",
        units.filter((_, index) => missing.has(index)).map(({ entity }) => entity),
      );
    }
    for (const [index, { entity }] of units.entries()) {
      this.#place.undo.note(new Undo(entity, "deleted", rows[index]!, NOTHING_FILLED));
      this.#work.removed(entity);
    }
  }
}

pinHiddenClass(new BindFlush(UNUSED, UNUSED));

/** Rows with keys of their own come before those whose keys are generated, so that no generated key is one of them. */
function givenKeysFirst(groups: Iterable<readonly InsertUnit[]>): readonly (readonly InsertUnit[])[] {
  const all = [...groups];
  if (all.length === 1) return all;
  const isGiven = (units: readonly InsertUnit[]) => {
    const { mapper, values } = units[0]!;
    return mapper.key.every((property) => values.properties.includes(property));
  };
  return [...all.filter(isGiven), ...all.filter((units) => !isGiven(units))];
}

/** The new values of rows, all keys that they wait for filled in. */
function resolvedValues(units: readonly (InsertUnit | UpdateUnit)[], engine: Engine): NewValues[] {
  const values = new Array<NewValues>(units.length);
  for (let place = 0; place < values.length; place++) values[place] = units[place]!.values;
  putKeys(values, engine);
  return values;
}

/** The row that an update changes. */
function rowBefore({ entity, replaced }: UpdateUnit): StoredRow {
  return rowOf(replaced ?? entity)!;
}

function isFollowed({ followed }: UpdateUnit): boolean {
  return followed.length > 0;
}

/** The row as it is by now, where the database has changed columns of it along with others. */
function rowToFind({ followed }: UpdateUnit, before: StoredRow, { row }: NewValues): StoredRow {
  return { ...before, ...Object.fromEntries(followed.map(({ name }) => [name, row[name]])) };
}

function staleRows(mapper: Mapper, verb: string, entities: readonly Entity[]): StaleDataError {
  const count = entities.length === 1 ? "A row" : `${entities.length} rows`;
  const { bindKey } = mapper.table;
  return new StaleDataError(
    `${count} of ${mapper.label} cannot be ${verb}: ${entities.length === 1 ? "it no longer exists" : "they no longer exist"}${mapper.version === undefined ? "" : ", or another transaction has changed the version"}. ` +
      "Roll back, then `refresh` the entities or read them again.",
    { entities, bindKey },
  );
}
