import { type Application, DatabaseConnectionError, OperationalError } from "../../../src/index.ts";
import type { Witness } from "./databases.ts";
import { BIND_KEYS } from "./databases.ts";

/** A failure at one statement: the statement is refused instead of sent, or all connections of its database are ended. */
export interface Fault {
  readonly kind: "refuse" | "disconnect";
  /** Before which statement of the program it happens, begin and commit included. */
  readonly at: number;
}

/** A fault that no operation has reported: it hit the undoing of what had failed before, for another reason. */
export class SilentFault extends Error {}

/** Lets a statement of an application fail, and counts them to find it. */
export class Faults {
  statements = 0;
  injected = 0;
  #fault: Fault | undefined;
  #refusal: Error | undefined;
  #disconnecting: Promise<unknown> = Promise.resolve();
  #hasDisconnected = false;
  #start = 0;
  readonly #app: Application<"auth" | "meta">;
  readonly #witnesses: readonly Witness[];
  readonly #listeners: (() => void)[] = [];

  constructor(app: Application<"auth" | "meta">, witnesses: readonly Witness[]) {
    this.#app = app;
    this.#witnesses = witnesses;
  }

  /** From now on this is what fails. Without a fault nobody listens: reads may take a shorter way then. */
  arm(fault: Fault | undefined): void {
    for (const stop of this.#listeners.splice(0)) stop();
    if (fault !== undefined) {
      for (const [bindKey, engine] of this.#app.engines) {
        const witness = this.#witnesses[BIND_KEYS.indexOf(bindKey)]!;
        this.#listeners.push(engine.onStatement(({ sql }) => this.#next(sql, witness)));
      }
    }
    this.#fault = fault;
    this.#refusal = undefined;
    this.#hasDisconnected = false;
    this.#start = this.statements;
  }

  /** Whether there was a fault. */
  get haveStruck(): boolean {
    return this.#refusal !== undefined || this.#hasDisconnected;
  }

  /** Waits until connections that are being ended are gone. */
  async settled(): Promise<void> {
    await this.#disconnecting;
  }

  /** Whether an error is of the fault. */
  caused(error: unknown): boolean {
    for (let one = error; one instanceof Error; one = one.cause) {
      if (
        one instanceof SilentFault ||
        one === this.#refusal ||
        (this.#hasDisconnected && one instanceof DatabaseConnectionError)
      )
        return true;
    }
    return false;
  }

  #next(sql: string, witness: Witness): void {
    const number = this.statements++ - this.#start;
    if (this.#fault === undefined || number < this.#fault.at) return;
    const { kind } = this.#fault;
    this.#fault = undefined;
    this.injected++;
    if (kind === "refuse") {
      this.#refusal = new OperationalError(`refused: ${sql}`, {});
      throw this.#refusal;
    }
    this.#hasDisconnected = true;
    // It is on its way while the statement is too: either may come first.
    this.#disconnecting = witness.disconnectOthers();
  }
}
