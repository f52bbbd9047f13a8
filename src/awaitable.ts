/** A value, or the promise of one where something has to be waited for: for what is often there at once. */
export type Awaitable<T> = T | Promise<T>;
