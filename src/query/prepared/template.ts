import type { RootOperationNode } from "kysely";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import { InvalidValueError } from "../../errors/value.ts";

/** The tree of a statement that runs many times. Each application routes and compiles it once. */
export class Template {
  readonly node: RootOperationNode;
  readonly #names: ReadonlySet<string>;

  constructor(node: RootOperationNode, names: ReadonlySet<string>) {
    this.node = node;
    this.#names = names;
  }

  /** @throws {InvalidValueError} if a value is given for a parameter that there is not */
  requireKnown(given: GivenValues): void {
    for (const name in given) {
      if (this.#names.has(name)) continue;
      const names = [...this.#names].map((known) => `"${known}"`).join(", ");
      throw new InvalidValueError(
        `The prepared statement has no parameter "${name}"; ${names === "" ? "it has none" : `there is ${names}`}.`,
      );
    }
  }
}
