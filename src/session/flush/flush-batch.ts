import type { Engine } from "../../engine/engine.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { FlushUnit, InsertUnit } from "./flush-unit.ts";

/** Rows of one kind and model on one bind that do not depend on each other, so that one statement can write them. */
export class FlushBatch {
  readonly engine: Engine;
  readonly units: FlushUnit[];
  /** The index among the batches of its bind, which run one after the other. */
  readonly index: number;
  /** For each other bind that this batch waits for, the last batch there that has to be done before. */
  readonly after = new Map<Engine, FlushBatch>();
  #end: PromiseWithResolvers<void> | undefined;

  constructor(first: FlushUnit, index: number) {
    this.engine = first.engine;
    this.units = [first];
    this.index = index;
  }

  /**
   * Whether a statement of this batch may wait for another transaction: updates and deletes lock rows, and so does an
   * insert that refers to a row or gives a value that another transaction may insert too.
   */
  get takesLocks(): boolean {
    const [first] = this.units;
    return first!.kind !== "insert" || mayMeetOthers(this.units as InsertUnit[]);
  }

  /** Makes this batch wait for one of another bind. */
  runAfter(other: FlushBatch): void {
    const known = this.after.get(other.engine);
    if (known !== undefined && known.index >= other.index) return;
    this.after.set(other.engine, other);
    if (other.#end !== undefined) return;
    other.#end = Promise.withResolvers();
    // The bind that fails reports it.
    other.#end.promise.catch(() => {});
  }

  /** Waits for the batches of other binds. */
  async othersDone(): Promise<void> {
    for (const other of this.after.values()) await other.#end!.promise;
  }

  /** Tells the batches of other binds that this one is done. */
  succeed(): void {
    this.#end?.resolve();
  }

  /** Makes the batches of other binds that wait for this one fail too. */
  fail(error: unknown): void {
    this.#end?.reject(error);
  }
}

/** A batch has rows of one model, most of which are given the same columns. */
function mayMeetOthers(units: readonly InsertUnit[]): boolean {
  const { mapper } = units[0]!;
  if (hasSharedValues(mapper)) return true;
  let list: readonly MappedProperty[] | undefined;
  for (const { values } of units) {
    if (values.properties === list) continue;
    list = values.properties;
    if (list.some((property) => mapper.key.includes(property))) return true;
  }
  return false;
}

const known = new WeakMap<Mapper, boolean>();

/** Whether rows of a model refer to others, or must have values that no other row has. */
function hasSharedValues(mapper: Mapper): boolean {
  let result = known.get(mapper);
  if (result === undefined) {
    result = mapper.tables.some((table) => refersToRows(table, mapper) || hasUniqueValues(table));
    known.set(mapper, result);
  }
  return result;
}

/** A joined child's key refers to its own parent row, which is new too. */
function refersToRows(table: AnyTable, { root }: Mapper): boolean {
  const isLink = (columns: readonly TableColumn[]) =>
    table !== root.table && columns.every((column) => table.primaryKey.includes(column));
  return table.foreignKeys.some(({ columns }) => !isLink(columns));
}

function hasUniqueValues({ uniques, indexes }: AnyTable): boolean {
  return uniques.length > 0 || indexes.some(({ unique }) => unique);
}
