import { type BindKey, type BindKeys, bindLabel } from "../bind-key.ts";
import type { BindTarget } from "../ddl/bind-target.ts";
import { InvalidOptionError, UnsupportedError } from "../errors/configuration.ts";
import { requireKnownOptions } from "../known-options.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import type { Engines } from "./engines.ts";

/** What `createAll`, `dropAll` and `reflect` take. */
export interface BindChoice<K extends BindKey = BindKey> {
  /** Absent: all binds. A key, `null` for the default one: that bind. A list: those. */
  readonly bindKey?: BindKeys<K> | undefined;
}

/** The options of `dropAll`. */
export interface DropChoice<K extends BindKey = BindKey> extends BindChoice<K> {
  /**
   * Whether to drop the tables that `reflect` found too, which were not defined here. Defaults to `false`: they may belong to
   * other programs.
   */
  readonly reflected?: boolean | undefined;
}

const CHOICE: readonly (keyof BindChoice)[] = ["bindKey"];
const DROP_CHOICE: readonly (keyof DropChoice)[] = [...CHOICE, "reflected"];

/**
 * The binds whose tables are dropped, and whether those that `reflect` found are.
 *
 * @throws {InvalidOptionError} on an unknown option, or a value that an option does not take
 * @throws {UnboundExecutionError | UnsupportedError} as {@link bindsToCreate}
 */
export function bindsToDrop(choice: DropChoice, engines: Engines, metadatas: Metadatas): BindsToDrop {
  requireKnownOptions(choice, DROP_CHOICE, "dropAll");
  const { bindKey, reflected = false } = choice;
  if (typeof reflected !== "boolean")
    throw new InvalidOptionError("Expected the option reflected of dropAll to be true or false.");
  return { targets: managed(bindKey, engines, metadatas), reflected };
}

/** What `dropAll` works on. */
export interface BindsToDrop {
  readonly targets: readonly BindTarget[];
  readonly reflected: boolean;
}

/**
 * The binds whose tables are created. Without a key: all managed binds with tables.
 *
 * @throws {InvalidOptionError} on an unknown option
 * @throws {UnboundExecutionError} if a bind has no engine, before anything is done
 * @throws {UnsupportedError} if a bind is named that is not managed
 */
export function bindsToCreate(choice: BindChoice, engines: Engines, metadatas: Metadatas): BindTarget[] {
  requireKnownOptions(choice, CHOICE, "createAll");
  return managed(choice.bindKey, engines, metadatas);
}

function managed(bindKey: BindKeys | undefined, engines: Engines, metadatas: Metadatas): BindTarget[] {
  if (bindKey === undefined) {
    return [...metadatas]
      .filter(([key, { tables }]) => tables.size > 0 || engines.has(key))
      .map(([key, metadata]) => ({ engine: engines.get(key), metadata }))
      .filter(({ engine }) => engine.options.managed);
  }
  return named(bindKey, engines, metadatas).map((target) => {
    if (target.engine.options.managed) return target;
    const key = target.engine.bindKey;
    throw new UnsupportedError(
      `The tables of ${bindLabel(key)} are not ours (managed: false), so they are neither created nor dropped here.`,
      {
        bindKey: key,
      },
    );
  });
}

/**
 * The binds whose tables are read. Without a key: all configured binds.
 *
 * @throws {UnboundExecutionError} if a bind has no engine, before anything is done
 */
export function bindsToReflect(choice: BindChoice, engines: Engines, metadatas: Metadatas): BindTarget[] {
  requireKnownOptions(choice, CHOICE, "reflect");
  const { bindKey } = choice;
  return named(bindKey === undefined ? [...engines.keys()] : bindKey, engines, metadatas);
}

function named(bindKey: BindKeys, engines: Engines, metadatas: Metadatas): BindTarget[] {
  const keys = Array.isArray(bindKey) ? (bindKey as readonly BindKey[]) : [bindKey as BindKey];
  return [...new Set(keys)].map((key) => ({ engine: engines.get(key), metadata: metadatas.ensure(key) }));
}
