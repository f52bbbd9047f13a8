import type { Connection } from "../../engine/connection.ts";
import type { Entity } from "../../model/entity.ts";
import type { AnyTable } from "../../schema/table.ts";
import { alikeIn, areAlike } from "./alike-rows.ts";
import type { FlushBatch } from "./flush-batch.ts";
import type { FlushUnit, UpdateUnit } from "./flush-unit.ts";
import { KeptValues } from "./kept-values.ts";
import { compareKeys, storedRow } from "./key-order.ts";
import { areReferable } from "./referable-columns.ts";
import { tableLock } from "./table-lock.ts";

/** The locks to take before each batch of a bind. */
export type RowLocks = ReadonlyMap<FlushBatch, readonly RowLock[]>;

const NO_LOCKS: RowLocks = new Map();

/**
 * Finds the tables whose rows several statements change, in another order than that of their keys. All of these rows are
 * locked before the first of them is changed: two sessions that lock rows of a table in the same order cannot deadlock.
 *
 * @param batches those of one bind, in the order in which they run; updates and deletes are sorted by key
 */
export function rowLocks(batches: readonly FlushBatch[]): RowLocks {
  const changing = batches.filter(({ units }) => units[0]!.kind !== "insert");
  if (changing.length === 0 || (changing.length === 1 && isOneStatement(changing[0]!))) return NO_LOCKS;
  if (!changing[0]!.engine.family.locksRows) return NO_LOCKS;
  const locks = new Map<AnyTable, RowLock>();
  for (const batch of changing) {
    for (const units of statementsOf(batch)) {
      for (const table of changedTables(units[0]!)) {
        let lock = locks.get(table);
        if (lock === undefined) {
          lock = new RowLock(table, batch);
          locks.set(table, lock);
        }
        lock.add(units);
      }
    }
  }
  return Map.groupBy(
    [...locks.values()].filter(({ isNeeded }) => isNeeded),
    ({ before }) => before,
  );
}

/** The rows of a table that are locked before a batch. */
export class RowLock {
  readonly before: FlushBatch;
  readonly #table: AnyTable;
  readonly #units = new Map<Entity, FlushUnit>();
  #last: FlushUnit | undefined;
  #isInOrder = true;
  #changesKeys = false;

  constructor(table: AnyTable, before: FlushBatch) {
    this.#table = table;
    this.before = before;
  }

  /** Adds the rows of a statement. */
  add(units: readonly FlushUnit[]): void {
    this.#changesKeys ||= mayChangeKeys(units[0]!, this.#table);
    for (const unit of units) {
      const entity = (unit.kind === "update" ? unit.replaced : undefined) ?? unit.entity;
      // A row that is not stored yet is locked by its insert, and one that was changed before by that.
      if (storedRow(unit) === undefined || this.#units.has(entity)) continue;
      this.#units.set(entity, unit);
      if (this.#last !== undefined && compareKeys(this.#last, unit) > 0) this.#isInOrder = false;
      this.#last = unit;
    }
  }

  get isNeeded(): boolean {
    return !this.#isInOrder;
  }

  async take(connection: Connection): Promise<void> {
    const { engine } = connection;
    const units = [...this.#units.values()].sort(compareKeys);
    const keys = units.map((unit) => new KeptValues(unit.mapper.key, engine).of(storedRow(unit)!));
    await tableLock(this.#table, engine, this.#changesKeys).run(connection, keys);
  }
}

function isOneStatement({ units }: FlushBatch): boolean {
  // A batch has rows of one kind.
  return units[0]!.kind === "delete" || areAlike(units as UpdateUnit[]);
}

function statementsOf({ units }: FlushBatch): Iterable<readonly FlushUnit[]> {
  // A batch has rows of one kind.
  return units[0]!.kind === "delete" ? [units] : alikeIn(units as UpdateUnit[]);
}

function changedTables(unit: FlushUnit): readonly AnyTable[] {
  const { tables } = unit.mapper;
  if (unit.kind === "delete" || tables.length === 1) return tables;
  return tables.filter((table) => unit.values.properties.some((property) => property.table === table));
}

/** Whether a statement may change values that foreign keys can refer to: others then have to wait that insert such a reference. */
function mayChangeKeys(unit: FlushUnit, table: AnyTable): boolean {
  if (unit.kind === "delete") return true;
  return areReferable(
    table,
    unit.values.properties.map(({ column }) => column),
  );
}
