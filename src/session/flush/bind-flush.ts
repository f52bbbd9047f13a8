import type { Engine } from "../../engine/engine.ts";
import { StaleDataError } from "../../errors/session.ts";
import { type Entity, rowOf, type StoredRow } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { restoreSnapshot, takeSnapshot } from "../../model/snapshot.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { type Values, valuesOf } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { BindTransaction } from "../transaction/bind-transaction.ts";
import type { Filled } from "../transaction/undo-log.ts";
import { knownChange, writtenValues } from "./flush-plan.ts";
import type { DeleteUnit, FlushUnit, InsertUnit, PropertyChange, UpdateUnit } from "./flush-unit.ts";
import { KeyReference } from "./key-reference.ts";
import { writerFor } from "./table-writer.ts";

/** A row to be inserted: what is known of it, more with each table that it is written to. */
interface NewRow {
  readonly entity: Entity;
  readonly changes: readonly PropertyChange[];
  readonly snapshot: Values;
  /** What the database filled in. */
  readonly fetched: Values;
}

/** A row to be updated: what it is now, and its changes with all keys filled in. */
interface ChangedRow {
  readonly unit: UpdateUnit;
  readonly before: StoredRow;
  readonly changes: readonly PropertyChange[];
}

/** The part of a flush on one bind. */
export class BindFlush {
  readonly #engine: Engine;
  readonly #transaction: BindTransaction;
  readonly #work: UnitOfWork;

  constructor(transaction: BindTransaction, work: UnitOfWork) {
    this.#engine = transaction.engine;
    this.#transaction = transaction;
    this.#work = work;
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
      this.#transaction.fail(error);
      throw error;
    }
  }

  async #insert(units: readonly InsertUnit[]): Promise<void> {
    for (const alike of alikeIn(units)) {
      const rows = alike.map((unit) => this.#newRow(unit));
      const { mapper } = alike[0]!;
      for (const table of mapper.tables) await this.#insertInto(table, mapper, rows);
      for (const { entity, changes, snapshot, fetched } of rows) {
        const assigned = new Map<string, Filled>();
        settle(entity, changes, assigned);
        fillIn(entity, fetched, assigned);
        const byAdd = this.#work.stored(entity, snapshot);
        const filled = byAdd.size === 0 ? assigned : new Map([...byAdd, ...assigned]);
        this.#transaction.undo.note(entity, { kind: "inserted", row: null, filled });
      }
    }
  }

  #newRow({ entity, changes: given }: InsertUnit): NewRow {
    const changes = this.#resolved(given);
    const snapshot: Values = {};
    for (const change of changes) snapshot[change.property.name] = change.snapshot;
    return { entity, changes, snapshot, fetched: {} };
  }

  async #insertInto(table: AnyTable, mapper: Mapper, rows: readonly NewRow[]): Promise<void> {
    const here = changesIn(table, mapper);
    const columns = here(rows[0]!.changes).map(({ property }) => property.column);
    // A joined child's key is that of its parent's row, which is there by now.
    const linked = table === mapper.root.table ? [] : table.primaryKey.filter((column) => !columns.includes(column));
    const keyOf = (column: TableColumn) => mapper.key[table.primaryKey.indexOf(column)]!;
    const fetched = mapper.properties.filter(
      (property) => property.table === table && !columns.includes(property.column) && !linked.includes(property.column),
    );
    const results = await writerFor(table, this.#engine).insert(
      this.#transaction.connection,
      [...linked, ...columns],
      rows.map(({ changes, snapshot }) => {
        const values = here(changes).map(({ written }) => written);
        return linked.length === 0 ? values : [...writtenValues(linked.map(keyOf), snapshot, this.#engine), ...values];
      }),
      fetched.map(({ column }) => column),
    );
    for (const [index, row] of rows.entries()) {
      for (let position = 0; position < fetched.length; position++) {
        const { name, column } = fetched[position]!;
        row.fetched[name] = results[index]![position];
        row.snapshot[name] = takeSnapshot(column.definition.type.kind, row.fetched[name]);
      }
      for (const column of linked) {
        const property = mapper.properties.find((one) => one.column === column);
        if (property === undefined) continue;
        const root = keyOf(column);
        row.snapshot[property.name] = row.snapshot[root.name];
        row.fetched[property.name] = restoreSnapshot(root.column.definition.type.kind, row.snapshot[root.name]);
      }
    }
  }

  async #update(units: readonly UpdateUnit[]): Promise<void> {
    const stale: Entity[] = [];
    for (const alike of alikeIn(units)) {
      const rows = alike.map((unit): ChangedRow => {
        const before = rowOf(unit.replaced ?? unit.entity)!;
        return { unit, before, changes: this.#resolved(unit.changes) };
      });
      const missing = await this.#updateRows(alike[0]!.mapper, rows);
      const found = missing.size === 0 ? rows : rows.filter((_, index) => !missing.has(index));
      stale.push(...rows.filter((_, index) => missing.has(index)).map(({ unit }) => unit.entity));
      // Rows may take each other's keys.
      const { mapper, changes } = alike[0]!;
      if (changes.some(({ property }) => mapper.key.includes(property)))
        for (const { unit } of found) this.#work.leaveKey(unit.replaced ?? unit.entity);
      for (const row of found) this.#updated(row);
    }
    if (stale.length > 0) throw staleRows(units[0]!.mapper, "updated", stale);
  }

  /** Updates rows in the same properties. Returns the positions of those that were not there. */
  async #updateRows(mapper: Mapper, updates: readonly ChangedRow[]): Promise<ReadonlySet<number>> {
    const missing = new Set<number>();
    for (const table of mapper.tables) {
      const here = changesIn(table, mapper);
      const columns = here(updates[0]!.changes).map(({ property }) => property.column);
      if (columns.length === 0) continue;
      const guards = guardsOf(mapper, table);
      const told = [...mapper.key, ...guards];
      const absent = await writerFor(table, this.#engine).update(
        this.#transaction.connection,
        columns,
        [...table.primaryKey, ...guards.map(({ column }) => column)],
        updates.map(({ changes, before }) => [
          ...here(changes).map(({ written }) => written),
          ...writtenValues(told, before, this.#engine),
        ]),
      );
      for (const index of absent) missing.add(index);
    }
    return missing;
  }

  #updated({ unit: { entity, replaced, mapper }, before, changes }: ChangedRow): void {
    const row: Values = { ...rowOf(replaced ?? entity)! };
    for (const { property, snapshot } of changes) row[property.name] = snapshot;
    const assigned = new Map<string, Filled>();
    settle(entity, changes, assigned);
    if (replaced === undefined) {
      this.#work.stored(entity, row);
      this.#transaction.undo.note(entity, { kind: "updated", row: before, filled: assigned });
      return;
    }
    this.#transaction.undo.note(replaced, { kind: "deleted", row: before, filled: new Map() });
    this.#work.removed(replaced);
    const kept = mapper.properties.map(
      ({ name, column }) => [name, restoreSnapshot(column.definition.type.kind, row[name])] as const,
    );
    fillIn(entity, Object.fromEntries(kept), assigned);
    const byAdd = this.#work.stored(entity, row);
    this.#transaction.undo.note(entity, { kind: "inserted", row: null, filled: new Map([...byAdd, ...assigned]) });
  }

  async #delete(units: readonly DeleteUnit[]): Promise<void> {
    const { mapper } = units[0]!;
    const rows = units.map(({ entity }) => rowOf(entity)!);
    const missing = new Set<number>();
    for (const table of [...mapper.tables].reverse()) {
      const guards = guardsOf(mapper, table);
      const absent = await writerFor(table, this.#engine).delete(
        this.#transaction.connection,
        [...table.primaryKey, ...guards.map(({ column }) => column)],
        rows.map((row) => writtenValues([...mapper.key, ...guards], row, this.#engine)),
      );
      for (const index of absent) missing.add(index);
    }
    if (missing.size > 0) {
      throw staleRows(
        mapper,
        "deleted",
        units.filter((_, index) => missing.has(index)).map(({ entity }) => entity),
      );
    }
    for (const [index, { entity }] of units.entries()) {
      this.#transaction.undo.note(entity, { kind: "deleted", row: rows[index]!, filled: new Map() });
      this.#work.removed(entity);
    }
  }

  /** Puts in the keys that values wait for: the rows that they are of have been stored by now. */
  #resolved(changes: readonly PropertyChange[]): readonly PropertyChange[] {
    if (changes.every(({ reference }) => reference === undefined)) return changes;
    return changes.map((change) =>
      change.reference === undefined
        ? change
        : knownChange(change.property, change.reference.value, change.given, this.#engine),
    );
  }
}

/** Rows of one model by what is written of them: those that are written in the same columns. */
function alikeIn<U extends InsertUnit | UpdateUnit>(units: readonly U[]): Iterable<readonly U[]> {
  const [first] = units;
  const areAlike = units.every(
    ({ changes }) =>
      changes.length === first!.changes.length &&
      changes.every(({ property }, index) => property === first!.changes[index]!.property),
  );
  return areAlike ? [units] : Map.groupBy(units, shapeOf).values();
}

function shapeOf({ changes }: InsertUnit | UpdateUnit): string {
  return changes.map(({ property }) => property.name).join();
}

/** Picks the changes that are in one of a model's tables. */
function changesIn(
  table: AnyTable,
  { tables }: Mapper,
): (changes: readonly PropertyChange[]) => readonly PropertyChange[] {
  if (tables.length === 1) return (changes) => changes;
  return (changes) => changes.filter(({ property }) => property.table === table);
}

/** What a row must still be beside its key, so that nobody's update is lost. */
function guardsOf({ version }: Mapper, table: AnyTable): MappedProperty[] {
  return version?.table === table ? [version] : [];
}

/** Gives an entity what was stored of it, unless it was changed meanwhile, and notes what was set. */
function settle(entity: Entity, changes: readonly PropertyChange[], assigned: Map<string, Filled>): void {
  const held = valuesOf(entity);
  for (const { property, given, value, isPlaceholder } of changes) {
    const before = held[property.name];
    if (isPlaceholder === true || Object.is(before, value) || !Object.is(before, given)) continue;
    held[property.name] = value;
    assigned.set(property.name, { before, now: value });
  }
}

/** Gives an entity what the database filled in, where it has no value, and notes what was set. */
function fillIn(entity: Entity, values: Values, assigned: Map<string, Filled>): void {
  const held = valuesOf(entity);
  for (const name in values) {
    const now = values[name];
    const before = held[name];
    if (before !== undefined && !(before instanceof KeyReference)) continue;
    held[name] = now;
    assigned.set(name, { before, now });
  }
}

function staleRows(mapper: Mapper, verb: string, entities: readonly Entity[]): StaleDataError {
  const count = entities.length === 1 ? "A row" : `${entities.length} rows`;
  const { bindKey } = mapper.table;
  return new StaleDataError(
    `${count} of ${mapper.label} to be ${verb} ${entities.length === 1 ? "is" : "are"} not there any more${mapper.version === undefined ? "" : ", or has another version"}.`,
    { entities, bindKey },
  );
}
