/** The longest name that is compared; others are no typing mistakes. */
const LONGEST = 64;

/**
 * Finds the name that was probably meant: the one that differs least from what was given, in no more than a third of its
 * characters. Case and separators do not count.
 *
 * @returns undefined if no name is near, or several are equally near
 */
export function nearestName(given: string, names: Iterable<string>): string | undefined {
  if (given.length > LONGEST) return undefined;
  const wanted = bare(given);
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const name of names) {
    if (name.length > LONGEST) continue;
    const own = bare(name);
    const distance = editDistance(wanted, own);
    if (distance > Math.max(wanted.length, own.length) / 3 || distance > least) continue;
    nearest = distance === least ? undefined : name;
    least = distance;
  }
  return nearest;
}

/** The question for the name that was probably meant, with a space in front; empty if no name is near. */
export function didYouMean(given: string, names: Iterable<string>): string {
  const meant = nearestName(given, names);
  return meant === undefined ? "" : ` Did you mean "${meant}"?`;
}

/** The way out of an unknown name, with a space in front: the name that was probably meant, otherwise all that there are. */
export function didYouMeanOneOf(given: string, names: readonly string[]): string {
  return didYouMean(given, names) || ` There are ${names.join(", ")}.`;
}

/** A name without what is easily confused in it. */
function bare(name: string): string {
  return name.replace(/[-_ ]/g, "").toLowerCase();
}

/** How many characters have to be inserted, deleted, changed or swapped with their neighbour. */
function editDistance(one: string, other: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, column) => column);
  for (let row = 1; row <= one.length; row++) {
    const current = [row];
    for (let column = 1; column <= other.length; column++) {
      const changed = one[row - 1] === other[column - 1] ? 0 : 1;
      let least = Math.min(last[column]! + 1, current[column - 1]! + 1, last[column - 1]! + changed);
      const isSwap = row > 1 && column > 1 && one[row - 1] === other[column - 2] && one[row - 2] === other[column - 1];
      if (isSwap) least = Math.min(least, beforeLast[column - 2]! + 1);
      current.push(least);
    }
    [beforeLast, last] = [last, current];
  }
  return last[other.length]!;
}
