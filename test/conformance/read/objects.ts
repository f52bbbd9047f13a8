import { isObject, type Json, type JsonObject } from "./json.ts";

/** The members of an object without some of them; nothing where the value is no object. */
export function without(value: Json | undefined, names: readonly string[]): JsonObject {
  return isObject(value) ? Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))) : {};
}

/** The members of an object with these names. */
export function pick(value: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(value).filter(([name]) => names.includes(name)));
}

/** An object with each member's value changed. */
export function mapMembers(value: JsonObject, change: (member: Json) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, change(member)]));
}
