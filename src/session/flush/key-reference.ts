import { InvalidValueError } from "../../errors/value.ts";
import { type Entity, rowOf } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { resolveMapperOfEntity } from "../../model/resolve-mapper.ts";
import { restoreSnapshot } from "../../model/snapshot.ts";

/** A value that is not known yet: the key, or a part of it, that an entity will have once it is stored. */
export class KeyReference {
  readonly entity: Entity;
  readonly property: MappedProperty;

  constructor(entity: Entity, property: MappedProperty) {
    this.entity = entity;
    this.property = property;
  }

  /** Whether the entity's row is stored, so that its value can be told. */
  get isKnown(): boolean {
    return rowOf(this.entity)?.[this.property.name] !== undefined;
  }

  /** The value, once the entity's row is stored. */
  get value(): unknown {
    const { name, column } = this.property;
    return restoreSnapshot(column.definition.type.kind, rowOf(this.entity)![name]);
  }
}

/**
 * Stands for the key of an entity that may not be stored yet, as the value of a column of another. The session fills it
 * in when it flushes, once the entity has its key, in whatever bind it is.
 *
 * @param property the property of the key, where it is not called `id`
 * @throws {InvalidValueError} if the entity has no such property
 *
 * @example
 * const ada = new User({ name: "ada" });                       // bind "auth"
 * session.addAll([ada, new Post({ authorId: keyOf(ada) })]);    // the default bind
 */
export function keyOf<E extends Entity & { readonly id: unknown }>(entity: E): E["id"];
export function keyOf<E extends Entity, P extends keyof E & string>(entity: E, property: P): E[P];
export function keyOf(entity: Entity, property?: string): unknown {
  const mapper = resolveMapperOfEntity(entity);
  const name = property ?? "id";
  const found = mapper.properties.find((one) => one.name === name);
  if (found !== undefined) return new KeyReference(entity, found);
  throw new InvalidValueError(
    `${mapper.label} has no "${name}": say whose key is meant, \`keyOf(entity, "${mapper.key[0]!.name}")\`.`,
    {
      bindKey: mapper.table.bindKey,
      table: mapper.table.fullName,
      column: name,
    },
  );
}
