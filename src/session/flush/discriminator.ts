import { InvalidValueError } from "../../errors/value.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";

/** Whether a new entity's discriminator says that its row is of the entity's own class. */
export function isOwnIdentity(mapper: Mapper, value: unknown): boolean {
  if (mapper.parent !== undefined) return value === mapper.identity;
  const named = mapper.relativeWithIdentity(value);
  return named === undefined || named === mapper;
}

/**
 * Refuses a new entity whose discriminator was set to that of another class: its row would be read as something that it
 * is not.
 *
 * @throws {InvalidValueError}
 */
export function requireOwnIdentity(mapper: Mapper, property: MappedProperty, value: unknown): void {
  if (isOwnIdentity(mapper, value)) return;
  const named = mapper.relativeWithIdentity(value);
  throw refusal(
    mapper,
    property,
    named === undefined
      ? `its rows always hold ${JSON.stringify(mapper.identity)} there. Leave the property as it is`
      : `that value is the identity of ${named.name}. Make the entity with \`new ${classNameOf(named)}(…)\``,
  );
}

/**
 * Refuses a changed discriminator: a row does not become one of another class.
 *
 * @throws {InvalidValueError}
 */
export function refuseChangedIdentity(mapper: Mapper, property: MappedProperty): never {
  throw refusal(
    mapper,
    property,
    "the column holds the class of the row. Delete the entity, and add a new one of the other class",
  );
}

function classNameOf(mapper: Mapper): string {
  return mapper.isRegistered ? mapper.entityClass.name : mapper.name;
}

function refusal({ label, table }: Mapper, { name }: MappedProperty, reason: string): InvalidValueError {
  return new InvalidValueError(`Cannot store "${name}" of ${label} as it was set: ${reason}.`, {
    bindKey: table.bindKey,
    table: table.fullName,
    column: name,
    status: 400,
  });
}
