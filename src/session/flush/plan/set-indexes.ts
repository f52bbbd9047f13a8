import type { AnyTable } from "../../../schema/table.ts";
import type { FlushUnit } from "../flush-unit.ts";
import type { ColumnSet } from "./row-constraints.ts";
import { RowIndex } from "./row-index.ts";

/** Units by their values in sets of columns: an index for each set, made when it is first asked for. */
export class SetIndexes<U extends FlushUnit> {
  readonly #units: readonly U[];
  readonly #setsOf: (unit: U) => readonly ColumnSet[];
  readonly #read: (unit: U, set: ColumnSet) => readonly unknown[] | undefined;
  #byTable: Map<AnyTable, U[]> | undefined;
  readonly #indexes = new Map<AnyTable, Map<string, RowIndex | undefined>>();

  /** @param read the values of a unit that count, if they do */
  constructor(
    units: readonly U[],
    setsOf: (unit: U) => readonly ColumnSet[],
    read: (unit: U, set: ColumnSet) => readonly unknown[] | undefined,
  ) {
    this.#units = units;
    this.#setsOf = setsOf;
    this.#read = read;
  }

  /** The index of a set, if any unit is of its table. */
  at(table: AnyTable, id: string): RowIndex | undefined {
    let ofTable = this.#indexes.get(table);
    if (ofTable === undefined) {
      ofTable = new Map();
      this.#indexes.set(table, ofTable);
    }
    if (!ofTable.has(id)) ofTable.set(id, this.#indexOf(table, id));
    return ofTable.get(id);
  }

  #indexOf(table: AnyTable, id: string): RowIndex | undefined {
    const units = this.#unitsOf(table);
    let index: RowIndex | undefined;
    for (const unit of units) {
      const set = this.#setsOf(unit).find((one) => one.id === id && one.table === table);
      const values = set && this.#read(unit, set);
      if (values === undefined) continue;
      index ??= new RowIndex(set!.properties);
      index.add(unit, values);
    }
    return index;
  }

  #unitsOf(table: AnyTable): readonly U[] {
    if (this.#byTable === undefined) {
      this.#byTable = new Map();
      for (const unit of this.#units) {
        for (const one of unit.mapper.tables) {
          const list = this.#byTable.get(one);
          if (list === undefined) this.#byTable.set(one, [unit]);
          else list.push(unit);
        }
      }
    }
    return this.#byTable.get(table) ?? [];
  }
}
