import { UnsupportedError } from "../../errors/configuration.ts";
import { type Entity, mapperOf, rowOf } from "../../model/entity.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import type { RelationOrder } from "../../model/relations/relation.ts";
import { Select, select } from "../../query/select/select.ts";
import type { ReadOptions, SelectRunner } from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { KeyReference } from "../flush/key-reference.ts";
import { keyText } from "./key-text.ts";

/** Entities by the text of the key that they were asked for by. */
export type KeyedRows = Map<string, Entity[]>;

/** Which rows are read by keys. */
export interface KeyedSource {
  readonly target: Mapper;
  /** The properties that hold the keys. */
  readonly properties: readonly MappedProperty[];
  readonly orderBy: readonly RelationOrder[];
  /** Makes the select that says which rows belong to it; undefined where all do. */
  readonly statement: (() => unknown) | undefined;
}

type Keys = ReadonlyMap<string, readonly unknown[]>;
type Values = Readonly<Record<string, unknown>>;
// biome-ignore lint/suspicious/noExplicitAny: which model it is of is known at run time only
type AnySelect = Select<any, any, any, any, any>;

/** The most keys in one statement. */
const PORTION = 500;

/** Reads the entities that hold any of many keys in some of their columns. */
export class KeyedRead {
  readonly #selects: SelectRunner;
  readonly #work: UnitOfWork;
  readonly #source: KeyedSource;

  constructor(selects: SelectRunner, work: UnitOfWork, source: KeyedSource) {
    this.#selects = selects;
    this.#work = work;
    this.#source = source;
  }

  /** @param keys by their texts; a key with a part that the columns cannot hold finds nothing */
  async run(keys: Keys, options: ReadOptions): Promise<KeyedRows> {
    const possible = [...keys].filter(([, key]) => !key.includes(undefined) && !key.includes(null));
    const found: KeyedRows = new Map();
    for (let start = 0; start < possible.length; start += PORTION) {
      const portion = new Map(possible.slice(start, start + PORTION));
      for (const [text, entities] of await this.#portion(portion, options)) found.set(text, entities);
    }
    this.#addPending(keys, found);
    return found;
  }

  async #portion(keys: Keys, options: ReadOptions): Promise<KeyedRows> {
    const entities = await this.#entities([...keys.values()], options);
    const found: KeyedRows = new Map();
    let hasStrays = false;
    for (const entity of entities) {
      const text = this.#textIn(entity as unknown as Values);
      if (text !== undefined && keys.has(text)) append(found, text, entity);
      else if (!keys.has(this.#textIn(rowOf(entity)!) ?? "")) hasStrays = true;
    }
    return hasStrays && keys.size > 1 ? this.#oneByOne(keys, options) : hasStrays ? allUnder(keys, entities) : found;
  }

  /**
   * The database takes keys for equal that differ here, such as texts in upper and lower case: which row belongs to which
   * key only it can say.
   */
  async #oneByOne(keys: Keys, options: ReadOptions): Promise<KeyedRows> {
    const found: KeyedRows = new Map();
    for (const [text, key] of keys) found.set(text, await this.#entities([key], options));
    return found;
  }

  async #entities(keys: readonly (readonly unknown[])[], options: ReadOptions): Promise<Entity[]> {
    const { target, orderBy, properties } = this.#source;
    const names = properties.map(({ name }) => name);
    const base = this.#base();
    const matching: AnySelect =
      names.length === 1
        ? keys.length === 1
          ? base.where(names[0]!, "=", keys[0]![0])
          : base.where(
              names[0]!,
              "in",
              keys.map(([value]) => value),
            )
        : base.where((eb) => eb.or(keys.map((key) => eb.and(names.map((name, index) => eb(name, "=", key[index]))))));
    if (isOrdered(base)) return matching.on(this.#selects).all(options);
    const orders =
      orderBy.length > 0 ? orderBy : target.key.map(({ name }) => ({ property: name, direction: "asc" as const }));
    const ordered = orders.reduce<AnySelect>(
      (statement, { property, direction }) => statement.orderBy(property, direction),
      matching,
    );
    return ordered.on(this.#selects).all(options);
  }

  #base(): AnySelect {
    const { target, statement } = this.#source;
    if (statement === undefined) return select(target.entityClass as never) as unknown as AnySelect;
    const made = statement();
    if (!(made instanceof Select))
      throw new UnsupportedError(
        "Expected the function of a view to return a select of the target, `() => select(Post)`.",
      );
    const { limit, offset } = made.toOperationNode();
    if (limit === undefined && offset === undefined) return made as AnySelect;
    throw new UnsupportedError(
      "Cannot read a view whose select has a limit or an offset: they would count the rows of all parents together.",
      { bindKey: target.table.bindKey },
    );
  }

  /** Entities that are not stored yet, or not as they are now, belong to what their columns say. */
  #addPending(keys: Keys, found: KeyedRows): void {
    const { target, statement } = this.#source;
    if (statement !== undefined) return;
    for (const entity of this.#work.added) {
      if (!mapperOf(entity).isA(target)) continue;
      const text = this.#textIn(entity as unknown as Values);
      if (text !== undefined && keys.has(text) && found.get(text)?.includes(entity) !== true)
        append(found, text, entity);
    }
  }

  /** The text of the key that a row or entity holds; undefined where a part is missing or not known yet. */
  #textIn(values: Values): string | undefined {
    const key = this.#source.properties.map(({ name }) => {
      const value = values[name];
      return value instanceof KeyReference && value.isKnown ? value.value : value;
    });
    if (key.some((part) => part === null || part === undefined || part instanceof KeyReference)) return undefined;
    return keyText(key);
  }
}

function isOrdered(statement: AnySelect): boolean {
  return statement.toOperationNode().orderBy !== undefined;
}

function allUnder(keys: Keys, entities: Entity[]): KeyedRows {
  return new Map([...keys.keys()].map((text) => [text, entities]));
}

function append(found: KeyedRows, text: string, entity: Entity): void {
  const entities = found.get(text);
  if (entities === undefined) found.set(text, [entity]);
  else entities.push(entity);
}
