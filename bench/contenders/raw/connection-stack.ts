/** The simplest pool: the connection used last is used next, and whoever finds none waits in turn. */
export class ConnectionStack<C> {
  readonly #connect: () => Promise<C>;
  readonly #idle: C[] = [];
  readonly #waiting: ((connection: C) => void)[] = [];
  readonly #all: C[] = [];
  readonly #size: number;
  #opened = 0;

  constructor(size: number, connect: () => Promise<C>) {
    this.#size = size;
    this.#connect = connect;
  }

  /** Every connection so far. */
  get all(): readonly C[] {
    return this.#all;
  }

  take(): C | Promise<C> {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#opened === this.#size) return new Promise((resolve) => this.#waiting.push(resolve));
    this.#opened++;
    return this.#open();
  }

  give(connection: C): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#idle.push(connection);
    else next(connection);
  }

  async #open(): Promise<C> {
    const connection = await this.#connect();
    this.#all.push(connection);
    return connection;
  }
}
