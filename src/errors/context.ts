import { MultibindError } from "./multibind-error.ts";

/** Something that needs an application was used outside of any context. */
export class NoContextError extends MultibindError {
  readonly code = "NO_CONTEXT";

  constructor(what: string) {
    super(
      `${what} needs an application context, but none is active. ` +
        "Wrap the work in `app.run(async () => …)`, or use the application itself: `app.engines`, `app.session()`.",
    );
  }
}

/** A context ended normally while its session held work that was never committed. */
export class UncommittedError extends MultibindError {
  readonly code = "UNCOMMITTED";
  /** The entities whose changes were lost; statements in Kysely's form and SQL text have none. */
  declare readonly entities: readonly object[];

  constructor(message: string, entities: readonly object[]) {
    super(message);
    // Not enumerable: an error that is logged shows no values.
    Object.defineProperty(this, "entities", { value: entities });
  }
}
