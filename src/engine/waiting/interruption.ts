import type { PhysicalConnection } from "../driver.ts";
import { unlessLate } from "./unless-late.ts";

/** How long the server has to end the statement, in milliseconds, before the connection is given up. */
export const PATIENCE = 2_000;

/** The end of a statement before it is done: why, and what the server is told of it. */
export class Interruption {
  readonly reason: unknown;
  readonly #asked: Promise<void>;
  readonly #late: NodeJS.Timeout;

  constructor(connection: Partial<PhysicalConnection>, reason: unknown) {
    this.reason = reason;
    const giveUp = () => connection.destroy?.();
    this.#late = setTimeout(giveUp, PATIENCE);
    this.#asked = unlessLate(Promise.resolve(connection.cancel?.()), PATIENCE).catch(giveUp);
  }

  /** Called when the statement has ended. Until this is over the server might take the request for the next statement's. */
  async over(): Promise<void> {
    await this.#asked;
    clearTimeout(this.#late);
  }
}

/** A signal's reason on its way through what wraps the errors of databases. */
export class Aborted {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}
