import { withSignal } from "../../engine/waiting/with-signal.ts";
import type { Relation } from "../../model/relations/relation.ts";
import { isAutoflushOff } from "../autoflush-scope.ts";
import type { SessionLock } from "../session-lock.ts";
import { scopeHere, type TransactionScope } from "../transaction/transaction-scope.ts";
import { LoadCounts } from "./load-counts.ts";
import type { RelationLoader, RelationLoadOptions, Root } from "./relation-loader.ts";
import type { RelationSettings } from "./relation-settings.ts";

/** Loads that were asked for in one turn of the event loop, and are done together. */
interface Gathered {
  readonly scope: TransactionScope | undefined;
  readonly isQuiet: boolean;
  readonly options: Omit<RelationLoadOptions, "signal" | "onRead">;
  readonly roots: Root[];
  /** The signal of each load. */
  readonly signals: (AbortSignal | undefined)[];
  /** The lines of the application that asked, if loads are counted. */
  readonly lines: Set<string>;
  readonly done: Promise<void>;
}

/** A gatherer's view of its session. */
export interface GathererHost {
  readonly session: object;
  readonly lock: SessionLock;
  readonly relations: RelationSettings;
}

/** Gathers loads that are asked for side by side, so that each relation is one statement for all of them. */
export class LoadGatherer {
  readonly #host: GathererHost;
  readonly #loader: RelationLoader;
  readonly #counts: LoadCounts | undefined;
  #waiting: Gathered[] = [];

  constructor(host: GathererHost, loader: RelationLoader) {
    const { nPlusOne } = host.relations;
    this.#host = host;
    this.#loader = loader;
    this.#counts = nPlusOne === undefined ? undefined : new LoadCounts(nPlusOne);
  }

  /** Loads relations together with the other loads of the same transaction and options; an abort ends the wait of one alone. */
  load(roots: readonly Root[], { signal, ...options }: RelationLoadOptions): Promise<void> {
    // A listener runs within the work that waits for it.
    if (this.#host.lock.isInside) return this.#loader.load(roots, { ...options, signal });
    const gathered = this.#gatheredFor(options);
    gathered.roots.push(...roots);
    gathered.signals.push(signal);
    if (this.#counts !== undefined) gathered.lines.add(this.#counts.lineHere());
    return signal === undefined ? gathered.done : withSignal(gathered.done, signal);
  }

  #gatheredFor(options: Gathered["options"]): Gathered {
    const { session } = this.#host;
    const [scope, isQuiet] = [scopeHere(session), isAutoflushOff(session)];
    const { refresh, autoflush } = options;
    const known = this.#waiting.find(
      (one) =>
        one.scope === scope &&
        one.isQuiet === isQuiet &&
        one.options.refresh === refresh &&
        one.options.autoflush === autoflush,
    );
    if (known !== undefined) return known;
    const roots: Root[] = [];
    const signals: (AbortSignal | undefined)[] = [];
    const lines = new Set<string>();
    const counts = this.#counts;
    const onRead = counts === undefined ? undefined : countOnce(counts, lines);
    const run = async (): Promise<void> => {
      await promiseCallbacks();
      this.#waiting = this.#waiting.filter((one) => one !== gathered);
      await this.#loader.load(roots, { ...options, signal: whenAllAre(signals), onRead });
    };
    const gathered: Gathered = { scope, isQuiet, options, roots, signals, lines, done: run() };
    this.#waiting.push(gathered);
    // Every load may have been given up before it fails.
    gathered.done.catch(() => {});
    return gathered;
  }
}

/** Counts each relation once, however often it stands in what is loaded. */
function countOnce(counts: LoadCounts, lines: ReadonlySet<string>): (relation: Relation) => void {
  const counted = new Set<Relation>();
  return (relation) => {
    if (counted.has(relation)) return;
    counted.add(relation);
    counts.count(relation, lines);
  };
}

/** Waits until the callbacks of promises that are settled have run, and those of promises that they settle. */
async function promiseCallbacks(): Promise<void> {
  await undefined;
  await new Promise<void>((resolve) => process.nextTick(resolve));
}

/** A signal that is aborted when all of several are; undefined if one is missing, since that load is never aborted. */
function whenAllAre(signals: readonly (AbortSignal | undefined)[]): AbortSignal | undefined {
  const different = new Set(signals);
  if (different.has(undefined)) return undefined;
  const [first, ...others] = different;
  if (others.length === 0) return first;
  const all = new AbortController();
  let left = different.size;
  for (const signal of different) {
    const abort = () => {
      left--;
      if (left === 0) all.abort(signal!.reason);
    };
    if (signal!.aborted) abort();
    else signal!.addEventListener("abort", abort, { once: true });
  }
  return all.signal;
}
