import type { AnyModel, Entity } from "../../../src/index.ts";
import { FormatError, type Json } from "../read/json.ts";

/** The labels that a case gives to objects: equal labels mean the identical object. */
export class Objects {
  readonly #labels = new Map<Entity, string>();
  readonly #entities = new Map<string, Entity>();

  /** The object with a label. @throws {FormatError} if there is none */
  get(label: string): Entity {
    const entity = this.#entities.get(label);
    if (entity === undefined) throw new FormatError(`the case has no object ${label}`);
    return entity;
  }

  /** Every object that was seen. */
  all(): Iterable<Entity> {
    return this.#labels.keys();
  }

  /** The label of an object: the one it has, else the one given, else its class and key. */
  labelOf(entity: Entity, given?: string): string {
    const known = this.#labels.get(entity);
    if (known !== undefined) {
      if (given !== undefined) this.#entities.set(given, entity);
      return given ?? known;
    }
    const wanted = given ?? this.#described(entity);
    let label = wanted;
    for (let count = 2; this.#entities.has(label); count++) label = `${wanted}#${count}`;
    this.#labels.set(entity, label);
    this.#entities.set(label, entity);
    return label;
  }

  /** A returned object as a case writes it. */
  result(entity: Entity | null, given?: string): Json {
    return entity === null ? null : { obj: this.labelOf(entity, given) };
  }

  /** The values of an object's key, in the order of the key. */
  static keyOf(entity: Entity): unknown[] {
    const { table } = entity.constructor as unknown as AnyModel;
    return table.primaryKey.map(({ property }) => (entity as unknown as Record<string, unknown>)[property]);
  }

  #described(entity: Entity): string {
    return `${entity.constructor.name}(${Objects.keyOf(entity).join(", ")})`;
  }
}
