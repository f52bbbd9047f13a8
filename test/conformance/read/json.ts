/** What a JSON file may hold. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

/** An object of a JSON file. */
export interface JsonObject {
  readonly [name: string]: Json;
}

/** A case is written in a way that this runner does not know, so nothing can be said about it. It counts as failed. */
export class FormatError extends Error {}

/** Whether a value is an object. */
export function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether a value is a list. */
export function isList(value: Json | undefined): value is readonly Json[] {
  return Array.isArray(value);
}

/** The value of a member where the value is an object, else nothing. */
export function memberOf(value: Json | undefined, name: string): Json | undefined {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Takes a value for a list. @throws {FormatError} if it is none */
export function asList(value: Json | undefined, where: string): readonly Json[] {
  if (isList(value)) return value;
  throw new FormatError(`${where} is not a list`);
}

/** Takes a value for an object. @throws {FormatError} if it is none */
export function asObject(value: Json | undefined, where: string): JsonObject {
  if (isObject(value)) return value;
  throw new FormatError(`${where} is not an object`);
}

/** Takes a value for text. @throws {FormatError} if it is none */
export function asText(value: Json | undefined, where: string): string {
  if (typeof value === "string") return value;
  throw new FormatError(`${where} is not text`);
}
