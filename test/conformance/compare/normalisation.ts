/** What a case says and what came of it, side by side. */
export interface Pair<V> {
  readonly expected: V;
  readonly actual: V;
}

/**
 * One way in which multibind differs from the original in whole classes of cases, applied to what a case says and to
 * what came of it before they are compared.
 *
 * @typeParam V the kind of result that it is about
 * @typeParam S what else it may look at: the case's inputs, and what is worked out from them
 */
export interface Normalisation<V, S> {
  readonly name: string;
  /** Why the two differ, or why it makes no difference. */
  readonly why: string;
  apply(pair: Pair<V>, subject: S): Pair<V>;
}

/** A normalisation of what the case says alone. */
export function ofExpected<V, S>(change: (expected: V, subject: S) => V): Normalisation<V, S>["apply"] {
  return ({ expected, actual }, subject) => ({ expected: change(expected, subject), actual });
}

/** A normalisation of both sides alike. */
export function ofBoth<V, S>(change: (value: V, subject: S) => V): Normalisation<V, S>["apply"] {
  return ({ expected, actual }, subject) => ({ expected: change(expected, subject), actual: change(actual, subject) });
}

/** Applies normalisations in order, and tells the names of those that changed something. */
export function normalise<V, S>(
  normalisations: readonly Normalisation<V, S>[],
  pair: Pair<V>,
  subject: S,
): { readonly pair: Pair<V>; readonly applied: readonly string[] } {
  const applied: string[] = [];
  let current = pair;
  for (const { name, apply } of normalisations) {
    const next = apply(current, subject);
    if (JSON.stringify(next) !== JSON.stringify(current)) applied.push(name);
    current = next;
  }
  return { pair: current, applied };
}
