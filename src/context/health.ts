import type { BindKey, BindKeys } from "../bind-key.ts";
import type { PoolStatus } from "../engine/driver.ts";
import type { Engine } from "../engine/engine.ts";
import { type Duration, timeout as milliseconds } from "../engine/options/duration.ts";
import { InvalidOptionError } from "../errors/configuration.ts";
import { requireKnownOptions } from "../known-options.ts";
import type { Engines } from "./engines.ts";

/** Options of `app.ping`. */
export interface PingOptions<K extends BindKey = BindKey> {
  /** How long each database may take, in seconds or as text with a unit. Defaults to 5 seconds. */
  readonly timeout?: Duration | undefined;
  /** The binds to ask: one, `null` for the default one, or a list. Absent: all. */
  readonly bindKey?: BindKeys<K> | undefined;
}

/** The answer of one bind's database to `app.ping`. */
export interface BindHealth {
  /** Whether the database answered in time. */
  readonly ok: boolean;
  /** How long that took, in milliseconds. */
  readonly ms: number;
  /** Why it did not answer; absent where it did. */
  readonly error?: unknown;
  /** Whether the application cannot do without it, as the engine option `required` says. */
  readonly required: boolean;
  /** The connections of its engine just then. */
  readonly pool: PoolStatus;
}

const OPTIONS: readonly (keyof PingOptions)[] = ["timeout", "bindKey"];
const TIMEOUT: Duration = "5s";

/**
 * Asks databases side by side whether they answer.
 *
 * @throws {InvalidOptionError} on an unknown option, or a value that an option does not take
 * @throws {UnboundExecutionError} if a bind has no engine, before any is asked
 */
export async function ping<BK extends string>(
  engines: Engines<BK>,
  options: PingOptions<BK | null>,
): Promise<ReadonlyMap<BK | null, BindHealth>> {
  requireKnownOptions(options, OPTIONS, "ping");
  const { timeout = TIMEOUT, bindKey = [...engines.keys()] } = options;
  const limit = milliseconds(timeout, "timeout of ping");
  if (limit === 0) throw new InvalidOptionError("Expected timeout of ping to be more than 0: a ping is for an answer.");
  const keys = new Set(Array.isArray(bindKey) ? (bindKey as readonly (BK | null)[]) : [bindKey as BK | null]);
  const asked = [...keys].map((key) => [key, engines.get(key)] as const);
  return new Map(await Promise.all(asked.map(async ([key, engine]) => [key, await healthOf(engine, limit)] as const)));
}

async function healthOf(engine: Engine, limit: number): Promise<BindHealth> {
  const start = performance.now();
  const answer = await engine.ping(limit).then(
    () => ({ ok: true }),
    (error: unknown) => ({ ok: false, error }),
  );
  return { ...answer, ms: performance.now() - start, required: engine.options.required, pool: engine.status() };
}
