import { inspect } from "node:util";
import { type BindKey, bindLabel } from "../bind-key.ts";
import { Engine, type EngineDefinition } from "../engine/engine.ts";
import { UnboundExecutionError } from "../errors/routing.ts";

/**
 * The engines of an application by bind key, `null` for the default one.
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.engines`
 */
export class Engines<BK extends string = string> implements Iterable<readonly [BK | null, Engine]> {
  readonly #byKey: ReadonlyMap<BindKey, Engine>;

  /** @internal use `db.init` */
  constructor(definitions: readonly EngineDefinition[]) {
    this.#byKey = new Map(definitions.map((definition) => [definition.bindKey, new Engine(definition)]));
  }

  /** How many engines there are. */
  get size(): number {
    return this.#byKey.size;
  }

  /** The bind keys, in the order of configuration. */
  keys(): IterableIterator<BK | null> {
    // The configuration was checked against BK where it was written.
    return this.#byKey.keys() as IterableIterator<BK | null>;
  }

  /** Whether an engine is configured for the key. */
  has(bindKey: BindKey): boolean {
    return this.#byKey.has(bindKey);
  }

  /**
   * The engine of a bind key.
   *
   * @throws {UnboundExecutionError} if none is configured
   */
  get(bindKey: BK | null): Engine {
    const engine = this.find(bindKey);
    if (engine !== undefined) return engine;
    throw new UnboundExecutionError(
      bindKey === null
        ? "There is no default engine: 'databaseUri' is not configured."
        : `Bind key '${bindKey}' is not in 'binds' config. Configured: ${[...this.#byKey.keys()].map(bindLabel).join(", ")}.`,
      { bindKey },
    );
  }

  /** @internal */
  find(bindKey: BindKey): Engine | undefined {
    return this.#byKey.get(bindKey);
  }

  /** The engines as a map, for `console.log`. */
  [inspect.custom](): ReadonlyMap<BindKey, Engine> {
    return this.#byKey;
  }

  [Symbol.iterator](): IterableIterator<readonly [BK | null, Engine]> {
    return this.#byKey.entries() as IterableIterator<[BK | null, Engine]>;
  }
}
