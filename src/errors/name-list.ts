/** The most names that a message lists. */
const MOST_NAMES = 20;

/** The most characters of a name that a message shows. */
const LONGEST_NAME = 64;

/** Names in one line, as many as a message takes. */
export function nameList(names: readonly string[]): string {
  const more = names.length - MOST_NAMES;
  return [...names.slice(0, MOST_NAMES), ...(more > 0 ? [`and ${more} more`] : [])].join(", ");
}

/** A name in double quotes, cut where it is too long to be one, without characters that a terminal would obey. */
export function quotedName(name: string): string {
  return JSON.stringify(name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME)}…` : name);
}
