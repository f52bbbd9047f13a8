import type { Engine } from "../../engine/engine.ts";
import { memoizePerEngine } from "../../engine/memoize-per-engine.ts";
import type { Mapper } from "../../model/mapper.ts";
import type { EntityColumn, EntitySelection } from "../../query/select/entity-selection.ts";
import {
  type DriverRow,
  keyReader,
  type ReadColumn,
  rowFiller,
  rowPicker,
  snapshotMaker,
  valuesReader,
} from "./row-functions.ts";

/** How rows of one class become entities. */
export class ClassReader {
  readonly mapper: Mapper;
  readonly columns: readonly ReadColumn[];
  /** The values of a row, as entities have them. */
  readonly valuesOf: ReturnType<typeof valuesReader>;
  /** The remembered part of a row; the row itself if only that class is selected. */
  readonly snapshotOf: ReturnType<typeof snapshotMaker>;
  /** Both in one for a new entity, of the class that alone is asked for. */
  readonly fill: ReturnType<typeof rowFiller>;

  constructor(mapper: Mapper, columns: readonly EntityColumn[], engine: Engine, isAskedFor: boolean) {
    this.mapper = mapper;
    this.columns = columns.map(({ rowKey, property: { name, column } }) => ({
      name,
      rowKey,
      kind: column.definition.type.kind,
      converter: engine.converter(column),
    }));
    this.valuesOf = valuesReader(this.columns);
    this.snapshotOf = snapshotMaker(this.columns, isAskedFor);
    this.fill = isAskedFor ? rowFiller(this.columns) : undefined;
  }
}

/** Reads rows of one selection on one engine. Compiled once for the two. */
export class Hydrator {
  readonly selection: EntitySelection;
  /** The identity of a row; `undefined` in the empty half of an outer join. */
  readonly keyOf: ReturnType<typeof keyReader>;
  readonly #readers: ReadonlyMap<Mapper, ClassReader>;
  readonly #own: ClassReader;
  #ownColumns: ReturnType<typeof rowPicker> | undefined;
  readonly #discriminator: ReadColumn | undefined;

  constructor(selection: EntitySelection, engine: Engine) {
    this.selection = selection;
    const { mapper, columns, isAlone } = selection;
    this.#readers = new Map(
      [...columns].map(([one, its]) => [one, new ClassReader(one, its, engine, one === mapper && isAlone)]),
    );
    this.#own = this.#readers.get(mapper)!;
    const named = (name: string | undefined) => this.#own.columns.find((column) => column.name === name);
    this.keyOf = keyReader(mapper.key.map(({ name }) => named(name)!));
    this.#discriminator = mapper.isPolymorphic ? named(mapper.discriminator) : undefined;
  }

  /** A row that has the columns of the selection alone, out of one that has others beside. */
  ownColumns(row: DriverRow): DriverRow {
    this.#ownColumns ??= rowPicker([
      ...new Set([...this.selection.columns.values()].flat().map(({ rowKey }) => rowKey)),
    ]);
    return this.#ownColumns(row);
  }

  /** Whether a row says itself which class it is of. */
  get isPolymorphic(): boolean {
    return this.#discriminator !== undefined;
  }

  /** How a row is read: as its own class has it. */
  readerOf(row: DriverRow): ClassReader {
    if (this.#discriminator === undefined) return this.#own;
    const { converter, rowKey } = this.#discriminator;
    return this.readerFor(this.selection.mapper.forIdentity(converter.read(row[rowKey])));
  }

  /** How rows of a class are read. */
  readerFor(mapper: Mapper): ClassReader {
    return mapper === this.selection.mapper ? this.#own : this.#readers.get(mapper)!;
  }
}

/** The hydrator of a selection on an engine. */
export const hydratorFor = memoizePerEngine(
  (selection: EntitySelection, engine: Engine) => new Hydrator(selection, engine),
);
