/** A value, or the promise of one where something has to be waited for: for what is often there at once. */
export type Awaitable<T> = T | Promise<T>;

/**
 * The promise of what a function gives or throws, as an asynchronous function would make it; what is a promise already
 * stays what it is.
 */
export function promised<T>(run: () => Awaitable<T>): Promise<T> {
  try {
    return Promise.resolve(run());
  } catch (error) {
    return Promise.reject(error);
  }
}
