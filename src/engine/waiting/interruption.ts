import type { PhysicalConnection } from "../driver.ts";
import { withTimeout } from "./with-timeout.ts";

/** How long the server has to end the statement, in milliseconds, before the connection is given up. */
export const PATIENCE = 2_000;

/** The pause before the server is asked once more, in milliseconds; it doubles each time. */
const FIRST_PAUSE = 100;

/**
 * The end of a statement before it is done: the reason, and the requests to the server. A server forgets a request that arrives
 * before the statement, so it is asked again while the statement goes on.
 */
export class Interruption {
  readonly reason: unknown;
  readonly #asked: Promise<void>;
  readonly #late: NodeJS.Timeout;
  readonly #ended = Promise.withResolvers<void>();
  #isOver = false;

  constructor(connection: Partial<PhysicalConnection>, reason: unknown) {
    this.reason = reason;
    const giveUp = () => {
      this.#end();
      connection.destroy?.();
    };
    this.#late = setTimeout(giveUp, PATIENCE);
    this.#asked = this.#ask(connection).catch(giveUp);
  }

  /** Called when the statement has ended. Until this is over the server might take the request for the next statement's. */
  async over(): Promise<void> {
    this.#end();
    await this.#asked;
    clearTimeout(this.#late);
  }

  async #ask(connection: Partial<PhysicalConnection>): Promise<void> {
    for (let pause = FIRST_PAUSE; connection.cancel !== undefined && !this.#isOver; pause *= 2) {
      await withTimeout(connection.cancel(), PATIENCE);
      if (this.#isOver) return;
      const paused = Promise.withResolvers<void>();
      const timer = setTimeout(paused.resolve, pause);
      await Promise.race([paused.promise, this.#ended.promise]);
      clearTimeout(timer);
    }
  }

  #end(): void {
    this.#isOver = true;
    this.#ended.resolve();
  }
}

/** A signal's reason on its way through what wraps the errors of databases. */
export class Aborted {
  readonly reason: unknown;

  constructor(reason: unknown) {
    this.reason = reason;
  }
}
