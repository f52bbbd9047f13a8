import { DuplicatePackageError } from "../errors/schema.ts";

/** The same symbol in every copy of this package that a process loads. */
const COPY = Symbol.for("multibind.copy");

/** Stands for this copy. */
const THIS_COPY = Object.freeze({});

/** Marks an object, or a prototype for all its objects, as made by this copy of the package. */
export function markCopy(made: object): void {
  Object.defineProperty(made, COPY, { value: THIS_COPY });
}

/**
 * A value that all copies of this package share, so that one recognizes the other's tables and can refuse them.
 *
 * @param make makes the value, for the copy that comes first
 */
export function sharedByCopies<T>(name: string, make: () => T): T {
  const shared = globalThis as unknown as Record<symbol, T | undefined>;
  const value = shared[Symbol.for(name)] ?? make();
  Object.defineProperty(globalThis, Symbol.for(name), { value, configurable: true });
  return value;
}

/**
 * Refuses what another copy of this package has made: nothing of it is known here.
 *
 * @param name the value's name in the message
 * @throws {DuplicatePackageError}
 */
export function requireThisCopy(value: unknown, name: string): void {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return;
  const copy = (value as { readonly [COPY]?: object })[COPY];
  if (copy !== undefined && copy !== THIS_COPY) throw new DuplicatePackageError(name);
}
