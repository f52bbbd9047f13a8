/**
 * Waits for all of what was sent one behind the other, so that nothing is under way when this returns.
 *
 * @throws the first error, in the order of sending
 */
export async function allOrFirstError<T>(sent: readonly Promise<T>[]): Promise<T[]> {
  const outcomes = await Promise.allSettled(sent);
  return outcomes.map((outcome) => {
    if (outcome.status === "rejected") throw outcome.reason;
    return outcome.value;
  });
}
