/** How much longer than its time a statement may take until the server is taken for lost, in milliseconds. */
const GRACE = 2_000;
/** Data that arrived while this process was busy is read before a server counts as silent. */
const SECOND_LOOK = 100;

/** Calls `giveUp` if a server that ends statements after a time does not even say so. Returns a function that stops this. */
export function startWatchdog(statementTimeout: number, giveUp: () => void): () => void {
  let timer = setTimeout(() => {
    timer = setTimeout(giveUp, SECOND_LOOK);
  }, statementTimeout + GRACE);
  return () => clearTimeout(timer);
}
