import { InvalidValueError } from "../../errors/value.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";

/** What tells the rows of a model apart, as a map can hold it. */
export type IdentityKey = string | number | bigint | boolean;

/** The parts of a key between which no character of a key can stand. */
const SEPARATOR = "\0";

/** One part of a key in a form in which equal values are identical. */
export function identityPart(value: unknown): IdentityKey {
  // Columns that can be keys hold nothing but these and plain values.
  if (typeof value !== "object" || value === null) return value as IdentityKey;
  if (value instanceof Date) return value.getTime();
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  return JSON.stringify(value);
}

/** The identity of a row by the values of its key, in the order of the key. */
export function identityKey(values: readonly unknown[]): IdentityKey {
  return values.length === 1
    ? identityPart(values[0])
    : values.map((value) => String(identityPart(value))).join(SEPARATOR);
}

/** The identity by the values of an entity's or row's properties; `undefined` while a part is missing. */
export function identityKeyOf(mapper: Mapper, values: Readonly<Record<string, unknown>>): IdentityKey | undefined {
  const { key } = mapper;
  if (key.length === 1) {
    const value = values[key[0]!.name];
    return value === undefined || value === null ? undefined : identityPart(value);
  }
  const parts = key.map(({ name }) => values[name]);
  return parts.some((value) => value === undefined || value === null) ? undefined : identityKey(parts);
}

/**
 * The values of a key as an application gives it: the value itself, or for a composite key an object with each part.
 *
 * @throws {InvalidValueError} if parts are missing, too many or of the wrong type
 */
export function keyValues(mapper: Mapper, key: unknown): unknown[] {
  const properties = mapper.key;
  if (properties.length === 1) return [accepted(properties[0]!, singleValue(properties[0]!, key))];
  const { bindKey, fullName } = mapper.table;
  if (!hasShape(mapper, key)) {
    const names = properties.map(({ name }) => name);
    throw new InvalidValueError(
      `Expected the key of ${mapper.label} to be an object { ${names.join(", ")} } with all its parts.`,
      {
        bindKey,
        table: fullName,
        status: 400,
      },
    );
  }
  return properties.map((property) => accepted(property, key[property.name]));
}

/**
 * Whether a row may have a key that comes from outside, such as a part of a URL: one whose parts the columns can hold.
 *
 * @throws {InvalidValueError} if parts are missing or too many: no request makes that
 */
export function mayBeKey(mapper: Mapper, key: unknown): boolean {
  const isMissing = (part: unknown) => part === null || part === undefined;
  try {
    keyValues(mapper, key);
    return true;
  } catch (error) {
    const hasParts =
      mapper.key.length === 1
        ? !isMissing(singleValue(mapper.key[0]!, key))
        : hasShape(mapper, key) && !Object.values(key).some(isMissing);
    if (hasParts && error instanceof InvalidValueError) return false;
    throw error;
  }
}

function hasShape({ key: properties }: Mapper, key: unknown): key is Readonly<Record<string, unknown>> {
  if (typeof key !== "object" || key === null || Object.keys(key).length !== properties.length) return false;
  return properties.every(({ name }) => name in key);
}

function singleValue({ name }: MappedProperty, key: unknown): unknown {
  if (typeof key !== "object" || key === null || Object.getPrototypeOf(key) !== Object.prototype) return key;
  const entries = Object.entries(key);
  return entries.length === 1 && entries[0]![0] === name ? entries[0]![1] : key;
}

function accepted({ column }: MappedProperty, value: unknown): unknown {
  if (value === null || value === undefined) throw column.refusal(`a key is never ${value}`, { status: 400 });
  return column.accept(value);
}
