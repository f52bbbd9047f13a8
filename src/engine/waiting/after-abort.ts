import { PATIENCE } from "./interruption.ts";

/**
 * Does something if a signal is aborted and a while has passed since: for work that is not stopped half-way, and not waited
 * for without end either. A signal that is aborted already counts from now.
 *
 * @returns a function that stops this
 */
export function afterAbort(signal: AbortSignal | undefined, run: (reason: unknown) => void): () => void {
  if (signal === undefined) return () => {};
  let timer: NodeJS.Timeout | undefined;
  const abort = () => {
    timer = setTimeout(() => run(signal.reason), PATIENCE);
  };
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  return () => {
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
  };
}
