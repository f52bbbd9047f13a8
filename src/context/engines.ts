import { inspect } from "node:util";
import type { BindKey } from "../bind-key.ts";
import { Engine, type EngineDefinition } from "../engine/engine.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import { type EngineSource, Router } from "../session/router.ts";

/**
 * The engines of an application by bind key, `null` for the default one.
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.engines`
 */
export class Engines<BK extends string = string> implements Iterable<readonly [BK | null, Engine]> {
  readonly #byKey: ReadonlyMap<BindKey, Engine>;
  readonly #router: Router;

  /** @internal use `db.init` */
  constructor(definitions: readonly EngineDefinition[], metadatas: Metadatas) {
    this.#byKey = new Map(definitions.map((definition) => [definition.bindKey, new Engine(definition)]));
    this.#router = new Router(metadatas, this);
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
    return this.#router.forKey(bindKey);
  }

  /** @internal finds the engine of anything that runs */
  get router(): Router {
    return this.#router;
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

/** The engines of several applications in one: of a bind key, the first's that has it. */
export function unitedEngines(all: readonly EngineSource[]): EngineSource {
  return {
    find: (bindKey) => all.map((engines) => engines.find(bindKey)).find((engine) => engine !== undefined),
    keys: () => new Set(all.flatMap((engines) => [...engines.keys()])),
  };
}
