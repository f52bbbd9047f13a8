import { isDeepStrictEqual } from "node:util";

type Make = (value: unknown) => unknown;

/** An object of a class that cannot be copied for certain: itself, its fields, and the text that is sent for it. */
class Instance {
  readonly value: object;
  fields: object = {};
  readonly text: string | undefined;

  constructor(value: object) {
    this.value = value;
    this.text = textOf(value);
  }

  get isUnchanged(): boolean {
    return isCopy(this.value, this);
  }
}

/** Copies a value of any class, so that a later change in place can be seen. */
export function takeCopy(value: unknown): unknown {
  return remade(value, new Map(), (instance, keep, make) => {
    const copy = keep(new Instance(instance));
    copy.fields = fieldsOf(instance, make);
    return copy;
  });
}

/** Makes a value anew of its copy. */
export function restoreCopy(copy: unknown): unknown {
  return remade(copy, new Map(), (instance, keep, make) => {
    // Copies have no other objects of classes.
    const { value, fields, isUnchanged } = instance as Instance;
    if (isUnchanged) return keep(value);
    const restored: object = keep(Object.create(Object.getPrototypeOf(value)));
    return Object.assign(restored, fieldsOf(fields, make));
  });
}

/** Whether a value is still what was copied. Bytes are compared by their content, whatever class holds them. */
export function isCopy(value: unknown, copy: unknown): boolean {
  if (value === copy || (Number.isNaN(value) && Number.isNaN(copy))) return true;
  if (ArrayBuffer.isView(value) && ArrayBuffer.isView(copy)) return Buffer.compare(bytesOf(value), bytesOf(copy)) === 0;
  if (typeof value !== "object" || value === null) return false;
  return isDeepStrictEqual(takeCopy(value), copy);
}

/**
 * @param made what was made of the objects so far, since a value may hold itself
 * @param ofClass makes what an object of a class becomes; it says so by `keep` before it makes the parts
 */
function remade(
  value: unknown,
  made: Map<object, unknown>,
  ofClass: (instance: object, keep: <T>(copy: T) => T, make: Make) => unknown,
): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (made.has(value)) return made.get(value);
  const keep = <T>(copy: T): T => {
    made.set(value, copy);
    return copy;
  };
  const make: Make = (part) => remade(part, made, ofClass);
  if (value instanceof Date) return new Date(value);
  if (ArrayBuffer.isView(value)) return Buffer.from(bytesOf(value));
  if (Array.isArray(value)) {
    const list: unknown[] = keep([]);
    for (const part of value) list.push(make(part));
    return list;
  }
  if (value instanceof Map) {
    const map = keep(new Map<unknown, unknown>());
    for (const [key, part] of value) map.set(make(key), make(part));
    return map;
  }
  if (value instanceof Set) {
    const set = keep(new Set<unknown>());
    for (const part of value) set.add(make(part));
    return set;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return ofClass(value, keep, make);
  return Object.assign(keep(Object.create(prototype)), fieldsOf(value, make));
}

function fieldsOf(value: object, make: Make): object {
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, make(field)]));
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** Text from a class whose fields are otherwise invisible. */
function textOf(value: object): string | undefined {
  try {
    return "toPostgres" in value && typeof value.toPostgres === "function"
      ? String(value.toPostgres(String))
      : JSON.stringify(value);
  } catch {
    return undefined;
  }
}
