import type { PhysicalConnection } from "../driver.ts";
import { givenUp } from "../waiting/given-up.ts";

/** How often connections are looked at before a silence counts: a process that was busy itself has read nothing. */
const LOOKS = 6;
/** How long a server may take to answer a new login, in milliseconds: as long as it may be silent, within these. */
const [SHORTEST, LONGEST] = [2_000, 10_000];

/** State of a connection that waits for its server. */
interface Silence {
  readonly received: number;
  /** How often nothing more had come. */
  readonly looks: number;
}

/**
 * Looks after connections that wait for their server. Where nothing has come for a while, the server's address is tried
 * anew: if no server answers there either, the connection is given up; else the statement just takes long, and is waited for.
 *
 * Looking now and then costs statements nothing, where a timer for each would.
 */
export class SilenceWatch {
  readonly #time: number;
  readonly #connections: () => Iterable<PhysicalConnection>;
  readonly #asked = new Set<string>();
  #silences = new Map<PhysicalConnection, Silence>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param time how long a silence may be, in milliseconds
   * @param connections those that are in use
   */
  constructor(time: number, connections: () => Iterable<PhysicalConnection>) {
    this.#time = time;
    this.#connections = connections;
  }

  /** Begins to look, if it has not. */
  start(): void {
    this.#timer ??= setInterval(() => this.#look(), this.#time / LOOKS).unref();
  }

  /** Looks no more. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const before = this.#silences;
    this.#silences = new Map();
    const silent: PhysicalConnection[] = [];
    for (const connection of this.#connections()) {
      const { received, isBusy } = connection;
      if (!isBusy || received === undefined) continue;
      const last = before.get(connection);
      const looks = last?.received === received ? last.looks + 1 : 0;
      this.#silences.set(connection, { received, looks });
      if (looks >= LOOKS) silent.push(connection);
    }
    for (const [address, there] of Map.groupBy(silent, ({ address }) => address ?? "")) void this.#ask(address, there);
  }

  async #ask(address: string, silent: readonly PhysicalConnection[]): Promise<void> {
    if (this.#asked.has(address)) return;
    this.#asked.add(address);
    const before = new Map(silent.map((connection) => [connection, connection.received]));
    try {
      await silent[0]!.reach?.(Math.min(Math.max(this.#time, SHORTEST), LONGEST));
      for (const connection of silent) this.#silences.delete(connection);
    } catch (error) {
      const why = givenUp(`The server said nothing for ${this.#time / 1000} seconds and cannot be reached`, error);
      // A connection that has answered since may run another statement by now.
      for (const [connection, received] of before)
        if (connection.isBusy && connection.received === received) connection.destroy(why);
    } finally {
      this.#asked.delete(address);
    }
  }
}
