import { type Entity, mapperOf } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { restoreSnapshot, takeSnapshot } from "../../model/snapshot.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import { KeyReference } from "../flush/key-reference.ts";
import type { Filled } from "../transaction/undo-log.ts";
import { valuesOf } from "./entity-values.ts";
import type { UnitOfWork } from "./unit-of-work.ts";

/** Puts a value back that an entity had. */
type Restore = () => void;

interface AddedCopy {
  readonly entity: Entity;
  readonly values: readonly Restore[];
  readonly filled: readonly Filled[];
}

interface ChangedCopy {
  readonly entity: Entity;
  readonly values: readonly Restore[];
  /** The columns that `touch` has marked. */
  readonly touched: readonly string[];
}

/** The pending work of a session at one moment, to be pending again after a rollback. */
export class PendingCopy {
  readonly #work: UnitOfWork;
  readonly #added: readonly AddedCopy[];
  readonly #changed: readonly ChangedCopy[];
  readonly #deleted: readonly Entity[];

  constructor(work: UnitOfWork) {
    const { added, changed, deleted, touched } = work.pending();
    this.#work = work;
    this.#added = added.map((entity) => ({
      entity,
      values: mapperOf(entity).properties.map((property) => copyOf(entity, property)),
      filled: work.filledIn(entity),
    }));
    this.#changed = [...changed, ...deleted].map((entity) => ({
      entity,
      // Those that did not change, too: the work may remove the entity from the session, where no rollback restores it.
      values: heldProperties(entity).map((property) => copyOf(entity, property)),
      touched: [...(touched.get(entity) ?? [])],
    }));
    this.#deleted = deleted;
  }

  /**
   * Makes the work pending again.
   *
   * @throws {SessionError} if an entity meanwhile belongs to another session
   */
  restore(): void {
    for (const { entity, values, filled } of this.#added) {
      for (const restore of values) restore();
      this.#work.addAgain(entity, filled);
    }
    for (const { entity, values, touched } of this.#changed) {
      this.#work.addAgain(entity, []);
      for (const restore of values) restore();
      if (touched.length > 0) this.#work.touch(entity, touched);
    }
    for (const entity of this.#deleted) this.#work.delete(entity);
  }
}

function heldProperties(entity: Entity): readonly MappedProperty[] {
  const held = valuesOf(entity);
  return mapperOf(entity).properties.filter(({ name }) => Object.hasOwn(held, name));
}

function copyOf(entity: Entity, { name, column }: MappedProperty): Restore {
  const held = valuesOf(entity);
  const again = copier(held[name], column.definition.type.kind);
  return () => {
    held[name] = again();
  };
}

function copier(value: unknown, kind: TypeKind): () => unknown {
  // Only an object can change in place.
  if (typeof value !== "object" || value === null || value instanceof KeyReference) return () => value;
  try {
    const taken = takeSnapshot(kind, value);
    return () => restoreSnapshot(kind, taken);
  } catch {
    // The flush refuses a value that cannot be copied.
    return () => value;
  }
}
