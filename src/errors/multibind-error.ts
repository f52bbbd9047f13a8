import { type BindKey, bindLabel, shownBindKey } from "../bind-key.ts";
import { captureStack } from "./stack-trace.ts";

/** What every error of multibind may say of where it happened. */
export interface MultibindErrorOptions extends ErrorOptions {
  /** The bind that the error is about; `null` is the default bind. */
  readonly bindKey?: BindKey | undefined;
}

/**
 * The base of every error that multibind throws.
 *
 * Catch it to tell multibind's errors from your own, and read {@link code} to tell them from each other:
 * codes are stable, messages are for people.
 */
export abstract class MultibindError extends Error {
  /**
   * A stable name for the kind of error, for example `"CROSS_BIND"`. It leads to the paragraph of the documentation that says
   * what to do, in lower case: `docs/errors.md#cross_bind`.
   */
  abstract readonly code: string;
  /** The bind that the error is about: `null` for the default one, absent where it is about none or several. */
  declare readonly bindKey?: BindKey;

  constructor(message: string, options: MultibindErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    Object.defineProperty(this, "name", { value: new.target.name, configurable: true });
    captureStack(this, new.target);
    const bindKey = shownBindKey(options.bindKey);
    if (bindKey !== undefined) this.bindKey = bindKey;
  }
}

/** Says of a thing where it belongs, for messages: `table "user" (bind "auth")`. */
export function inBind(thing: string, bindKey: BindKey): string {
  return `${thing} (${bindLabel(bindKey)})`;
}
