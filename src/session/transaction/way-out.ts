/** How to go on after a failure in a transaction, or in one that is nested into another. */
export function wayOut(isNested: boolean): string {
  if (!isNested) return "Call `rollback()` to go on; within `transaction(fn)`, let the error leave the function.";
  return (
    "Call `rollback()` of the nested transaction (`nested.rollback()`) to go on, which keeps all that was done before it " +
    "began; within a nested `transaction(fn)`, let the error leave that function."
  );
}
