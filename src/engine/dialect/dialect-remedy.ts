/** The setting that avoids a problem, by the names of dialects' classes, and for other dialects. */
export interface Remedies {
  readonly [dialect: string]: string;
  readonly others: string;
}

/** The setting for one dialect. */
export function remedyFor(remedies: Remedies, dialect: string): string {
  return (Object.hasOwn(remedies, dialect) ? remedies[dialect] : undefined) ?? remedies.others;
}
