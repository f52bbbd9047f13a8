import type { Engine } from "../../engine/engine.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import { construct } from "../../model/construction.ts";
import type { Entity, StoredRow } from "../../model/entity.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { EntityColumn, EntitySelection } from "../../query/select/entity-selection.ts";
import { type IdentityKey, identityKey, identityPart } from "../entities/identity-key.ts";
import { type DriverRow, type ReadColumn, snapshotMaker, valuesReader } from "./row-functions.ts";

/** What a row says: the values for an entity, and what to remember of them. */
export interface ReadRow {
  readonly values: Record<string, unknown>;
  readonly snapshot: StoredRow;
}

/** How rows of one class become entities. */
class ClassReader {
  readonly columns: readonly ReadColumn[];
  /** The values of a row, as entities have them. */
  readonly valuesOf: ReturnType<typeof valuesReader>;
  /** What is remembered of a row; of the class that alone is asked for, the row itself. */
  readonly snapshotOf: ReturnType<typeof snapshotMaker>;

  constructor(columns: readonly EntityColumn[], engine: Engine, isAskedFor: boolean) {
    this.columns = columns.map(({ rowKey, property: { name, column } }) => ({
      name,
      rowKey,
      kind: column.definition.type.kind,
      converter: engine.converter(column),
    }));
    this.valuesOf = valuesReader(this.columns);
    this.snapshotOf = snapshotMaker(this.columns, isAskedFor);
  }
}

interface KeyColumn {
  readonly rowKey: string;
  readonly converter: ColumnConverter;
}

/** Reads rows of one selection on one engine. Compiled once for the two. */
export class Hydrator {
  readonly selection: EntitySelection;
  readonly #readers: ReadonlyMap<Mapper, ClassReader>;
  readonly #own: ClassReader;
  readonly #key: readonly KeyColumn[];
  readonly #discriminator: ReadColumn | undefined;

  constructor(selection: EntitySelection, engine: Engine) {
    this.selection = selection;
    const { mapper, columns, isAlone } = selection;
    this.#readers = new Map(
      [...columns].map(([one, its]) => [one, new ClassReader(its, engine, one === mapper && isAlone)]),
    );
    this.#own = this.#readers.get(mapper)!;
    this.#key = mapper.key.map(({ name }) => this.#own.columns.find((column) => column.name === name)!);
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
    if (this.#key.length === 1) {
      const { rowKey, converter } = this.#key[0]!;
      const value = converter.read(row[rowKey]);
      return value === null ? undefined : identityPart(value);
    }
    const values = this.#key.map(({ rowKey, converter }) => converter.read(row[rowKey]));
    return values.includes(null) ? undefined : identityKey(values);
  }

  /** What a row says. The row itself becomes the snapshot where it can. */
  read(row: DriverRow, mapper: Mapper): ReadRow {
    const reader = mapper === this.selection.mapper ? this.#own : this.#readers.get(mapper)!;
    const values = reader.valuesOf(row);
    return { values, snapshot: reader.snapshotOf(row, values) };
  }

  /** Makes the entity of a row. */
  make({ values }: ReadRow, mapper: Mapper): Entity {
    return construct(mapper.entityClass, values, mapper);
  }
}

const hydrators = new WeakMap<Engine, WeakMap<EntitySelection, Hydrator>>();

/** The hydrator of a selection on an engine. */
export function hydratorFor(selection: EntitySelection, engine: Engine): Hydrator {
  let ofEngine = hydrators.get(engine);
  if (ofEngine === undefined) {
    ofEngine = new WeakMap();
    hydrators.set(engine, ofEngine);
  }
  let hydrator = ofEngine.get(selection);
  if (hydrator === undefined) {
    hydrator = new Hydrator(selection, engine);
    ofEngine.set(selection, hydrator);
  }
  return hydrator;
}
