import type { Engine } from "../../engine/engine.ts";
import { NotNullViolationError } from "../../errors/database.ts";
import { keepShape, UNUSED } from "../../kept-shapes.ts";
import type { StoredRow } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { takeSnapshot } from "../../model/snapshot.ts";
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
export interface Waiting {
  readonly property: MappedProperty;
  readonly given: unknown;
  readonly reference: KeyReference;
}

const NONE: readonly never[] = [];

/**
 * New values of a row, read from its entity when the flush began: for each property what the driver takes, and what is
 * remembered of it, since the entity may be changed while the flush runs.
 */
export class NewValues {
  /** Rows alike may share one list. */
  readonly properties: readonly MappedProperty[];
  readonly written: readonly unknown[];
  /** The remembered values, by property. Those of a new row grow with the values that the database fills in. */
  readonly row: Values;
  readonly settling: readonly Settling[];
  readonly waiting: readonly Waiting[];
  /** The row that `row` has all other properties of, if it has any. */
  readonly base: StoredRow | undefined;

  constructor(
    properties: readonly MappedProperty[],
    written: readonly unknown[],
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

  /** Puts in the keys that values wait for: the rows that they are of have been stored by now. */
  resolved(engine: Engine): NewValues {
    if (this.waiting.length === 0) return this;
    const draft = new ValuesDraft(engine);
    for (const [place, property] of this.properties.entries()) {
      const waiting = this.waiting.find((one) => one.property === property);
      if (waiting === undefined) draft.keep(property, this.written[place], this.row[property.name]);
      else draft.add(property, waiting.reference.value, waiting.given);
    }
    for (const one of this.settling) draft.settle(one);
    return draft.values;
  }
}

/** New values while they are put together. */
export class ValuesDraft {
  readonly #engine: Engine;
  readonly #properties: MappedProperty[] = [];
  readonly #written: unknown[] = [];
  readonly #row: Values = {};
  #settling: Settling[] | undefined;
  #waiting: Waiting[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
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
      this.#waiting.push({ property, given, reference: value });
      this.keep(property, undefined, undefined);
      return;
    }
    if (value === null) {
      requireNullable(property);
      this.keep(property, null, null);
      if (given !== null) this.settle({ property, given, value });
      return;
    }
    const { column } = property;
    const { kind } = column.definition.type;
    const accepted = column.accept(value);
    const kept = HAVE_CANONICAL_FORM.has(kind) ? accepted : value;
    this.keep(property, this.#engine.converter(column).encode(accepted), takeSnapshot(kind, kept));
    if (!Object.is(kept, given)) this.settle({ property, given, value: kept });
  }

  /** Adds a value that is converted already. */
  keep(property: MappedProperty, written: unknown, snapshot: unknown): void {
    this.#properties.push(property);
    this.#written.push(written);
    this.#row[property.name] = snapshot;
  }

  /** Records a value that the entity will get. */
  settle(settling: Settling): void {
    this.#settling ??= [];
    this.#settling.push(settling);
  }
}

keepShape([new NewValues([], [], {}), new ValuesDraft(UNUSED)]);

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
