import type { ColumnConverter } from "../engine/column-converter.ts";
import type { Engine } from "../engine/engine.ts";
import { construct } from "../model/construction.ts";
import type { Entity } from "../model/entity.ts";
import type { Mapper } from "../model/mapper.ts";
import { isOwnSnapshot, takeSnapshot } from "../model/snapshot.ts";
import { type EntityColumn, type EntitySelection, entitySelection } from "../query/entity-selection.ts";
import type { TypeKind } from "../schema/logical-type.ts";
import { type IdentityKey, identityKey } from "./identity-key.ts";

/** A row as the driver gave it. */
export type DriverRow = Record<string, unknown>;

/** What a row says: the values for an entity, and what to remember of them. */
export interface ReadRow {
  readonly values: Record<string, unknown>;
  readonly snapshot: Record<string, unknown>;
}

interface ReadColumn {
  readonly name: string;
  readonly rowKey: string;
  readonly kind: TypeKind;
  readonly converter: ColumnConverter;
  /** Whether value, snapshot and what the driver read are one and the same. */
  readonly plain: boolean;
}

/** How rows of one class become entities. */
class ClassReader {
  readonly mapper: Mapper;
  readonly columns: readonly ReadColumn[];
  readonly keyColumns: readonly ReadColumn[];

  constructor(mapper: Mapper, columns: readonly EntityColumn[], engine: Engine) {
    this.mapper = mapper;
    this.columns = columns.map(({ rowKey, property: { name, column } }) => {
      const converter = engine.converter(column);
      const { kind } = column.definition.type;
      return { name, rowKey, kind, converter, plain: converter.readsPlain && isOwnSnapshot(kind) };
    });
    this.keyColumns = mapper.key.map(({ name }) => this.columns.find((column) => column.name === name)!);
  }
}

/** Reads rows of one selection on one engine. Compiled once for the two. */
export class Hydrator {
  readonly selection: EntitySelection;
  readonly #readers: ReadonlyMap<Mapper, ClassReader>;
  readonly #own: ClassReader;
  readonly #discriminator: ReadColumn | undefined;

  constructor(selection: EntitySelection, engine: Engine) {
    this.selection = selection;
    const { mapper, columns } = selection;
    this.#readers = new Map([...columns].map(([one, its]) => [one, new ClassReader(one, its, engine)]));
    this.#own = this.#readers.get(mapper)!;
    this.#discriminator = mapper.isPolymorphic
      ? this.#own.columns.find(({ name }) => name === mapper.discriminator)
      : undefined;
  }

  /** The class that a row is of. */
  mapperOf(row: DriverRow): Mapper {
    if (this.#discriminator === undefined) return this.selection.mapper;
    return this.selection.mapper.forIdentity(this.#discriminator.converter.read(row[this.#discriminator.rowKey]));
  }

  /** The identity of a row; `undefined` where there is none, in the empty half of an outer join. */
  keyOf(row: DriverRow): IdentityKey | undefined {
    const values = this.#own.keyColumns.map(({ rowKey, converter }) => converter.read(row[rowKey]));
    return values.includes(null) ? undefined : identityKey(values);
  }

  /** What a row says. The row itself becomes the snapshot where it can. */
  read(row: DriverRow, mapper: Mapper): ReadRow {
    const reader = this.#readers.get(mapper)!;
    const values: Record<string, unknown> = {};
    const snapshot = reader === this.#own ? row : {};
    for (const { name, rowKey, kind, converter, plain } of reader.columns) {
      const stored = row[rowKey];
      const value = plain ? stored : converter.read(stored);
      values[name] = value;
      if (!plain || snapshot !== row) snapshot[name] = takeSnapshot(kind, value);
    }
    return { values, snapshot };
  }

  /** Makes the entity of a row. */
  make({ values }: ReadRow, mapper: Mapper): Entity {
    return construct(mapper.entityClass, values, mapper);
  }
}

const hydrators = new WeakMap<Engine, WeakMap<EntitySelection, Hydrator>>();

/** The hydrator of a model on an engine. */
export function hydratorFor(mapper: Mapper, engine: Engine): Hydrator {
  let ofEngine = hydrators.get(engine);
  if (ofEngine === undefined) {
    ofEngine = new WeakMap();
    hydrators.set(engine, ofEngine);
  }
  const selection = entitySelection(mapper);
  let hydrator = ofEngine.get(selection);
  if (hydrator === undefined) {
    hydrator = new Hydrator(selection, engine);
    ofEngine.set(selection, hydrator);
  }
  return hydrator;
}
