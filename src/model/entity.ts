import type { Mapper } from "./mapper.ts";

/** A row as the driver returned or received it, by property. The values of an entity are compared with it. */
export type StoredRow = Readonly<Record<string, unknown>>;

/** The states of an entity. */
export type EntityState = "transient" | "pending" | "persistent" | "deleted" | "detached";

/** The owner of an entity: its session. */
export interface EntityOwner {
  /** How messages call it. */
  readonly label: string;
  /** The state of an entity that belongs to it. */
  stateOf(entity: Entity): EntityState;
  /** Its entity with a key, by the values of the key's columns in their order. */
  findByKey(mapper: Mapper, values: readonly unknown[]): Entity | undefined;
}

/** The loaded relations of an entity, by their names. */
export type LoadedRelations = Map<string, unknown>;

let readRelations: (entity: Entity) => LoadedRelations | null;
let writeRelations: (entity: Entity, relations: LoadedRelations | null) => void;
let readRow: (entity: Entity) => StoredRow | null;
let writeRow: (entity: Entity, row: StoredRow | null) => void;
let readEpoch: (entity: Entity) => number;
let writeEpoch: (entity: Entity, epoch: number) => void;
let readOwner: (entity: Entity) => EntityOwner | null;
let writeOwner: (entity: Entity, owner: EntityOwner | null) => void;

/**
 * What every entity is. Its columns are its own properties, and nothing else is: what a session keeps of it is out of
 * sight, so spreading, `structuredClone` and deep equality see the columns alone.
 *
 * @see SQLAlchemy: a mapped instance and its `InstanceState`
 */
export abstract class Entity {
  /** The row as it was last loaded or stored; null before that. */
  #row: StoredRow | null = null;
  #owner: EntityOwner | null = null;
  /** When the row was read, in the session's own count of transactions. */
  #epoch = 0;
  /** Made when a relation is first read or loaded. */
  #relations: LoadedRelations | null = null;

  static {
    readRelations = (entity) => entity.#relations;
    writeRelations = (entity, relations) => {
      entity.#relations = relations;
    };
    readEpoch = (entity) => entity.#epoch;
    writeEpoch = (entity, epoch) => {
      entity.#epoch = epoch;
    };
    readRow = (entity) => entity.#row;
    writeRow = (entity, row) => {
      entity.#row = row;
    };
    readOwner = (entity) => entity.#owner;
    writeOwner = (entity, owner) => {
      entity.#owner = owner;
    };
  }

  /** The columns as JSON can hold them: a bigint as a string, bytes as base64. */
  toJSON(): Record<string, unknown> {
    const values: Record<string, unknown> = {};
    for (const [property, value] of Object.entries(this)) {
      if (typeof value === "bigint") values[property] = value.toString();
      else if (value instanceof Uint8Array)
        values[property] = Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString("base64");
      else values[property] = value;
    }
    return values;
  }
}

/** The row that an entity was last loaded from or stored as. */
export function rowOf(entity: Entity): StoredRow | null {
  return readRow(entity);
}

/** Remembers the row that an entity was loaded from or stored as. */
export function setRow(entity: Entity, row: StoredRow | null): void {
  writeRow(entity, row);
}

/** The loaded relations of an entity; null before any was. */
export function relationsLoadedOf(entity: Entity): LoadedRelations | null {
  return readRelations(entity);
}

/** Remembers what is loaded of an entity's relations. */
export function setRelationsLoaded(entity: Entity, relations: LoadedRelations | null): void {
  writeRelations(entity, relations);
}

/** When an entity's row was read: in which of its session's epochs. */
export function epochOf(entity: Entity): number {
  return readEpoch(entity);
}

/** Notes when an entity's row was read. */
export function setEpoch(entity: Entity, epoch: number): void {
  writeEpoch(entity, epoch);
}

/** The session that an entity belongs to. */
export function ownerOf(entity: Entity): EntityOwner | null {
  return readOwner(entity);
}

/** Gives an entity to a session, or takes it away. */
export function setOwner(entity: Entity, owner: EntityOwner | null): void {
  writeOwner(entity, owner);
}

/**
 * The state of an entity: `transient` (known to no session), `pending` (added, not stored), `persistent` (stored),
 * `deleted` (deleted, not committed) or `detached` (stored once, removed from its session).
 *
 * @see SQLAlchemy: `inspect(obj)`, `.transient`, `.pending`, `.persistent`, `.deleted`, `.detached`
 */
export function stateOf(entity: Entity): EntityState {
  const owner = readOwner(entity);
  if (owner !== null) return owner.stateOf(entity);
  return readRow(entity) === null ? "transient" : "detached";
}

/** The property under which a model's class keeps its mapper. */
export const MAPPER: unique symbol = Symbol("multibind.mapper");

/** The mapper of an entity's class. */
export function mapperOf(entity: Entity): Mapper {
  // Entities are made only by classes that `db.model` and `extend` have made.
  return (entity.constructor as unknown as { readonly [MAPPER]: Mapper })[MAPPER];
}
