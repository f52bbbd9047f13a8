const kept: object[] = [];

/** Stands in for the dependencies of an exemplar. An exemplar is never used, so they are never called. */
export const UNUSED = undefined as never;

/**
 * Keeps an object alive for its hidden class.
 *
 * V8 forgets a hidden class, and with it all code that it has compiled for it, when a full garbage collection finds no
 * object of it. Between two requests there may be none of what is made for each of them: without one that stays, the
 * code would be interpreted and compiled anew after such a collection.
 */
export function pinHiddenClass(exemplar: object): void {
  kept.push(exemplar);
}
