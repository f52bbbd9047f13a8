/**
 * The short name of a database; `null` is the default one.
 *
 * @see Flask-SQLAlchemy: the bind key, where `None` is the default.
 */
export type BindKey = string | null;

/** One bind key, a list of them, or nothing for all: what `createAll`, `dropAll` and `reflect` take. */
export type BindKeys<K extends BindKey = BindKey> = K | readonly K[];

/** A bind key as messages write it: `bind "auth"`, or `the default bind`. */
export function bindLabel(bindKey: BindKey): string {
  return bindKey === null ? "the default bind" : `bind "${bindKey}"`;
}
