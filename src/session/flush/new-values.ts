import type { Engine } from "../../engine/engine.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import { NotNullViolationError } from "../../errors/database.ts";
import { pinHiddenClass, UNUSED } from "../../hidden-class.ts";
import type { StoredRow } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { takeSnapshot } from "../../model/snapshot.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import type { Values } from "../entities/entity-values.ts";
import { KeyReference } from "./key-reference.ts";

/** A value that an entity does not hold yet in the form in which it is stored. */
export interface Settling {
  readonly property: MappedProperty;
  /** The values of the entity when the flush began. */
  readonly given: unknown;
  /** The same in its canonical form, or what is stored where the entity held nothing. */
  readonly value: unknown;
}

/** A value that is the key of a row which is stored before. */
export class Waiting {
  readonly property: MappedProperty;
  /** The value of the entity. */
  readonly given: unknown;
  readonly reference: KeyReference;

  constructor(property: MappedProperty, given: unknown, reference: KeyReference) {
    this.property = property;
    this.given = given;
    this.reference = reference;
  }
}

const NONE: readonly never[] = [];

/**
 * New values of a row, read from its entity when the flush began: for each property what the driver takes, and what is
 * remembered of it, since the entity may be changed while the flush runs.
 */
export class NewValues {
  /** Rows alike may share one list. */
  readonly properties: readonly MappedProperty[];
  /** The form that the driver takes; `undefined` for a key that another insert generates. */
  readonly written: unknown[];
  /** The remembered values, by property. Those of a new row grow with the values that the database fills in. */
  readonly row: Values;
  settling: readonly Settling[];
  waiting: readonly Waiting[];
  /** The row that `row` has all other properties of, if it has any. */
  readonly base: StoredRow | undefined;

  constructor(
    properties: readonly MappedProperty[],
    written: unknown[],
    row: Values,
    settling: readonly Settling[] = NONE,
    waiting: readonly Waiting[] = NONE,
    base?: StoredRow,
  ) {
    this.properties = properties;
    this.written = written;
    this.row = row;
    this.settling = settling;
    this.waiting = waiting;
    this.base = base;
  }

  /** The values to remember of a row whose identity has changed. */
  over(before: StoredRow): Values {
    // Most rows are still what they were when the flush began.
    if (this.base === before) return this.row;
    const row: Values = { ...before };
    for (const { name } of this.properties) row[name] = this.row[name];
    return row;
  }

  /** Whether a property gets a value. */
  has(name: string): boolean {
    return this.properties.some((property) => property.name === name);
  }

  /** The values of some properties alone. */
  only(properties: ReadonlySet<MappedProperty>): NewValues {
    const places = [...this.properties.keys()].filter((place) => properties.has(this.properties[place]!));
    const kept = places.map((place) => this.properties[place]!);
    const isKept = ({ property }: { readonly property: MappedProperty }) => properties.has(property);
    return new NewValues(
      kept,
      places.map((place) => this.written[place]),
      Object.fromEntries(kept.map(({ name }) => [name, this.row[name]])),
      this.settling.filter(isKept),
      this.waiting.filter(isKept),
    );
  }

  /** These values and those of other properties. */
  and(others: NewValues): NewValues {
    return new NewValues(
      [...this.properties, ...others.properties],
      [...this.written, ...others.written],
      { ...this.row, ...others.row },
      [...this.settling, ...others.settling],
      [...this.waiting, ...others.waiting],
    );
  }

  /** The values of all properties but some. */
  without(properties: ReadonlySet<MappedProperty>): NewValues {
    return this.only(new Set(this.properties.filter((property) => !properties.has(property))));
  }

  /** The same with null for some properties, which keeps their place: their values come later. */
  withNull(properties: ReadonlySet<MappedProperty>): NewValues {
    const isLeft = ({ property }: { readonly property: MappedProperty }) => !properties.has(property);
    return new NewValues(
      this.properties,
      this.written.map((value, place) => (properties.has(this.properties[place]!) ? null : value)),
      { ...this.row, ...Object.fromEntries([...properties].map(({ name }) => [name, null])) },
      this.settling.filter(isLeft),
      this.waiting.filter(isLeft),
    );
  }
}

/** How new values of a property are stored and remembered. */
class ColumnWriter {
  readonly #property: MappedProperty;
  readonly #converter: ColumnConverter;
  readonly #kind: TypeKind;
  readonly #hasCanonicalForm: boolean;

  constructor(property: MappedProperty, engine: Engine) {
    this.#property = property;
    this.#converter = engine.converter(property.column);
    this.#kind = property.column.definition.type.kind;
    this.#hasCanonicalForm = HAVE_CANONICAL_FORM.has(this.#kind);
  }

  /** @throws {InvalidValueError | NotNullViolationError} if the column cannot hold the value */
  accept(value: unknown): unknown {
    if (value !== null) return this.#property.column.accept(value);
    requireNullable(this.#property);
    return null;
  }

  /** The value that the entity gets, which is its own where there is no canonical form. */
  canonical(accepted: unknown, value: unknown): unknown {
    return this.#hasCanonicalForm ? accepted : value;
  }

  /** The form that the driver takes. */
  encode(accepted: unknown): unknown {
    return accepted === null ? null : this.#converter.encode(accepted);
  }

  /** The remembered values. */
  snapshot(canonical: unknown): unknown {
    return takeSnapshot(this.#kind, canonical);
  }
}

const knownWriters = new WeakMap<Engine, Map<MappedProperty, ColumnWriter>>();

function columnWriters(engine: Engine): Map<MappedProperty, ColumnWriter> {
  let writers = knownWriters.get(engine);
  if (writers === undefined) {
    writers = new Map();
    knownWriters.set(engine, writers);
  }
  return writers;
}

function writerOf(writers: Map<MappedProperty, ColumnWriter>, property: MappedProperty, engine: Engine): ColumnWriter {
  let writer = writers.get(property);
  if (writer === undefined) {
    writer = new ColumnWriter(property, engine);
    writers.set(property, writer);
  }
  return writer;
}

/**
 * Puts the keys into rows that wait for them: the rows that have them are stored by now.
 *
 * @param rows rows that are written in the same columns
 * @throws {InvalidValueError | NotNullViolationError} if a column cannot hold a key
 */
export function putKeys(rows: readonly NewValues[], engine: Engine): void {
  const writers = columnWriters(engine);
  for (let index = 0; index < rows.length; index++) {
    const { waiting, properties, written, row, settling } = rows[index]!;
    if (waiting.length === 0) continue;
    let settled = settling;
    for (let turn = 0; turn < waiting.length; turn++) {
      const { property, given, reference } = waiting[turn]!;
      const writer = writerOf(writers, property, engine);
      const { value } = reference;
      const accepted = writer.accept(value);
      const canonical = writer.canonical(accepted, value);
      written[properties.indexOf(property)] = writer.encode(accepted);
      row[property.name] = writer.snapshot(canonical);
      const one = { property, given, value: canonical };
      settled = settled.length === 0 ? [one] : [...settled, one];
    }
    rows[index]!.settling = settled;
    rows[index]!.waiting = NONE;
  }
}

/** New values while they are put together. */
export class ValuesDraft {
  readonly #engine: Engine;
  readonly #writers: Map<MappedProperty, ColumnWriter>;
  readonly #properties: MappedProperty[] = [];
  readonly #written: unknown[] = [];
  readonly #row: Values = {};
  #settling: Settling[] | undefined;
  #waiting: Waiting[] | undefined;

  constructor(engine: Engine, writers = columnWriters(engine)) {
    this.#engine = engine;
    this.#writers = writers;
  }

  get values(): NewValues {
    return new NewValues(this.#properties, this.#written, this.#row, this.#settling, this.#waiting);
  }

  /**
   * Adds a property's new value.
   *
   * @param given what the entity holds
   * @throws {InvalidValueError | NotNullViolationError} if the column cannot hold it
   */
  add(property: MappedProperty, value: unknown, given: unknown): void {
    if (value instanceof KeyReference) {
      this.#waiting ??= [];
      this.#waiting.push(new Waiting(property, given, value));
      this.#keep(property, undefined, undefined);
      return;
    }
    const writer = writerOf(this.#writers, property, this.#engine);
    const accepted = writer.accept(value);
    const canonical = writer.canonical(accepted, value);
    this.#keep(property, writer.encode(accepted), writer.snapshot(canonical));
    if (!Object.is(canonical, given)) this.#settle({ property, given, value: canonical });
  }

  #keep(property: MappedProperty, written: unknown, snapshot: unknown): void {
    this.#properties.push(property);
    this.#written.push(written);
    this.#row[property.name] = snapshot;
  }

  #settle(settling: Settling): void {
    this.#settling ??= [];
    this.#settling.push(settling);
  }
}

pinHiddenClass([new NewValues([], [], {}), new Waiting(UNUSED, UNUSED, UNUSED), new ValuesDraft(UNUSED, new Map())]);

/** Kinds of column of which one value can be written in several ways. */
export const HAVE_CANONICAL_FORM: ReadonlySet<string> = new Set(["numeric", "uuid", "time", "timestamp"]);

function requireNullable({ table, name, required }: MappedProperty): void {
  if (!required) return;
  throw new NotNullViolationError(`"${table.fullName}.${name}" is null, and the column is not nullable.`, {
    bindKey: table.bindKey,
    table: table.fullName,
    columns: [name],
  });
}
