import { inspect } from "node:util";
import { BIND_KEY_HINT, type BindKey, bindLabel, isBindName, quotedBindKey } from "../bind-key.ts";
import { UnboundExecutionError } from "../errors/routing.ts";
import { nearestName } from "../nearest-name.ts";
import { Metadata, type Redefinition } from "./metadata.ts";
import type { NamingConvention } from "./naming-convention.ts";
import type { AnyTable } from "./table.ts";

/**
 * The metadata of every bind key. The default's is always there; another appears with the first table of its key, or
 * when an application configures the key.
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.metadatas`
 */
export class Metadatas implements Iterable<readonly [BindKey, Metadata]> {
  /** @internal the name of the `Multibind` object in messages */
  readonly label: string;
  readonly #byKey = new Map<BindKey, Metadata>();
  readonly #options: { readonly namingConvention: NamingConvention; readonly redefine: Redefinition };

  /** @internal use `new Multibind()` */
  constructor(
    label: string,
    options: { readonly namingConvention: NamingConvention; readonly redefine: Redefinition },
  ) {
    this.label = label;
    this.#options = options;
    this.ensure(null);
  }

  /** Every bind key that has metadata, the default's `null` included. */
  keys(): IterableIterator<BindKey> {
    return this.#byKey.keys();
  }

  /** Whether the key has metadata. */
  has(bindKey: BindKey): boolean {
    return this.#byKey.has(bindKey);
  }

  /**
   * The metadata of a bind key.
   *
   * @throws {UnboundExecutionError} if no table and no application uses the key
   */
  get(bindKey: BindKey): Metadata {
    const metadata = this.#byKey.get(bindKey);
    if (metadata !== undefined) return metadata;
    throw new UnboundExecutionError(
      `There is no metadata for ${bindLabel(bindKey)}: no table and no configuration uses that key. ${this.#wayOut(bindKey)}`,
      { bindKey },
    );
  }

  #wayOut(bindKey: BindKey): string {
    const known = [...this.#byKey.keys()];
    const meant = isBindName(bindKey)
      ? nearestName(
          bindKey,
          known.filter((key) => key !== null),
        )
      : undefined;
    if (meant !== undefined) return `Did you mean ${quotedBindKey(meant)}?`;
    return isBindName(bindKey) ? `Known: ${known.map(bindLabel).join(", ")}.` : BIND_KEY_HINT;
  }

  /** The metadata of every key as a map, for `console.log`. */
  [inspect.custom](): ReadonlyMap<BindKey, Metadata> {
    return this.#byKey;
  }

  [Symbol.iterator](): IterableIterator<readonly [BindKey, Metadata]> {
    return this.#byKey.entries();
  }

  /** @internal the metadata of a key, made if it is not there yet */
  ensure(bindKey: BindKey): Metadata {
    let metadata = this.#byKey.get(bindKey);
    if (metadata === undefined) {
      metadata = new Metadata(this, bindKey, this.#options);
      this.#byKey.set(bindKey, metadata);
    }
    return metadata;
  }

  /** @internal the table of that name in that bind */
  find(bindKey: BindKey, name: string): AnyTable | undefined {
    return this.#byKey.get(bindKey)?.tables.get(name);
  }

  /** @internal every table of that name, in whatever bind */
  named(name: string): readonly AnyTable[] {
    return [...this.#byKey.values()].flatMap(({ tables }) => tables.get(name) ?? []);
  }

  /**
   * @internal resolves every foreign key of every table
   *
   * @throws {CrossBindForeignKeyError | UnknownTableError | SchemaError} for the first that leads nowhere
   */
  check(): void {
    for (const { tables } of this.#byKey.values()) {
      for (const table of tables.values()) {
        for (const foreignKey of table.foreignKeys) foreignKey.resolve(this);
      }
    }
  }
}
