import { asList, asObject, asText, FormatError, type Json, type JsonObject } from "./json.ts";

/**
 * The members of an object, read one by one. What nobody has read when {@link end} is called is something that the
 * runner does not know, and an error: a case must never be judged by less than it says.
 */
export class Fields {
  readonly #values: JsonObject;
  readonly #where: string;
  readonly #read = new Set<string>();

  constructor(value: Json | undefined, where: string) {
    this.#values = asObject(value, where);
    this.#where = where;
  }

  /** Whether the member is there, null included. */
  has(name: string): boolean {
    return Object.hasOwn(this.#values, name);
  }

  /** Any value; `undefined` where the member is not there. */
  json(name: string): Json | undefined {
    this.#read.add(name);
    return this.has(name) ? this.#values[name] : undefined;
  }

  text(name: string): string {
    return asText(this.json(name), `${this.#where}.${name}`);
  }

  optionalText(name: string): string | undefined {
    return this.has(name) ? this.text(name) : undefined;
  }

  /** True, false, or the value for a member that is not there. */
  flag(name: string, absent = false): boolean {
    const value = this.json(name);
    if (value === undefined) return absent;
    if (typeof value === "boolean") return value;
    throw new FormatError(`${this.#where}.${name} is not true or false`);
  }

  /** A list; empty where the member is not there. */
  list(name: string): readonly Json[] {
    return this.has(name) ? asList(this.json(name), `${this.#where}.${name}`) : [];
  }

  /** A list of texts; empty where the member is not there. */
  texts(name: string): string[] {
    return this.list(name).map((one) => asText(one, `${this.#where}.${name}`));
  }

  /** An object; empty where the member is not there. */
  object(name: string): JsonObject {
    return this.has(name) ? asObject(this.json(name), `${this.#where}.${name}`) : {};
  }

  /** Says that these members need no reading. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** @throws {FormatError} if a member was not read */
  end(): void {
    const unread = Object.keys(this.#values).filter((name) => !this.#read.has(name));
    if (unread.length > 0)
      throw new FormatError(`${this.#where} has ${unread.join(", ")}, which this runner does not know`);
  }
}
