import { type Entity, rowOf } from "../../../model/entity.ts";
import type { MappedProperty } from "../../../model/mapper.ts";
import { type FlushUnit, storedEntityOf, type WrittenUnit } from "../flush-unit.ts";
import type { KeyReference } from "../key-reference.ts";

/** The values of rows before and after a flush, as they are remembered. */
export class RowValues {
  readonly #written: readonly WrittenUnit[];
  #byEntity: Map<Entity, WrittenUnit> | undefined;

  constructor(written: readonly WrittenUnit[]) {
    this.#written = written;
  }

  /** The unit that writes an entity's row, if the flush does. */
  unitOf(entity: Entity): WrittenUnit | undefined {
    this.#byEntity ??= byEntity(this.#written);
    return this.#byEntity.get(entity);
  }

  /** The value of a property before the flush; `undefined` if there is no row. */
  before(unit: FlushUnit, { name }: MappedProperty): unknown {
    return rowOf(storedEntityOf(unit))?.[name];
  }

  /** The value of a property after the flush; `undefined` if only the database knows it. */
  after(unit: WrittenUnit, property: MappedProperty): unknown {
    const { row, waiting } = unit.values;
    const value = row[property.name];
    if (value !== undefined) return value;
    if (waiting.length > 0) {
      const one = waiting.find((each) => each.property === property);
      if (one !== undefined) return this.#awaited(one.reference);
    }
    return unit.kind === "insert" ? undefined : this.before(unit, property);
  }

  /** Whether an update gives a row another value in one of some properties, or perhaps does. */
  changes(unit: FlushUnit, properties: readonly MappedProperty[]): boolean {
    if (unit.kind !== "update") return true;
    return properties.some((property) => this.after(unit, property) !== this.before(unit, property));
  }

  /** The value of a key that another row waits for. */
  #awaited(reference: KeyReference): unknown {
    let { entity, property } = reference;
    // Keys may lead to keys; those that go in a circle are not known.
    for (let steps = 0; steps < MOST_STEPS; steps++) {
      const unit = this.unitOf(entity);
      const value = unit?.values.row[property.name];
      if (value !== undefined) return value;
      const next = unit?.values.waiting.find((one) => one.property === property)?.reference;
      if (next === undefined) return rowOf(entity)?.[property.name];
      ({ entity, property } = next);
    }
    return undefined;
  }
}

const MOST_STEPS = 100;

function byEntity(written: readonly WrittenUnit[]): Map<Entity, WrittenUnit> {
  const units = new Map<Entity, WrittenUnit>();
  for (const unit of written) if (!isFill(unit)) units.set(unit.entity, unit);
  return units;
}

function isFill(unit: WrittenUnit): boolean {
  return unit.kind === "update" && unit.isFill;
}
