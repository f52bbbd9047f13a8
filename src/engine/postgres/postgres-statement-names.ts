import { hash, randomBytes } from "node:crypto";

/** How many statements a connection keeps prepared on its server. */
const MOST_PREPARED = 256;
/** The part of names that tells the statements of this process from others'. */
const PROCESS = randomBytes(6).toString("base64url");
/** 22 digits are 132 bits: no two texts have the same. */
const DIGITS = 22;

/**
 * The names of the statements that a connection has prepared. A name is made of the text, so that it never means another
 * text, in whichever process it was prepared.
 */
export class StatementNames {
  readonly #names = new Map<string, string>();
  /** How often names were given up; part of later names, since the driver never prepares a name twice. */
  #generation = 0;

  /** The name of a statement. The server keeps it, so there is a limit to the number of names. */
  of(text: string): string | undefined {
    const name = this.#names.get(text);
    if (name !== undefined || this.#names.size >= MOST_PREPARED) return name;
    const digits = hash("sha256", text, "base64url").slice(0, DIGITS);
    const given = `multibind_${PROCESS}_${digits}${this.#generation === 0 ? "" : `_${this.#generation}`}`;
    this.#names.set(text, given);
    return given;
  }

  /** Gives the name of a statement up: the next one is another. */
  forget(text: string): void {
    if (this.#names.delete(text)) this.#generation++;
  }
}
