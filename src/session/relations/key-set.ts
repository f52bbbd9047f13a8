import type { Key } from "../../engine/key-lists.ts";
import { InvalidValueError } from "../../errors/value.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { type IdentityKey, identityKey, identityPart } from "../entities/identity-key.ts";

/** Different keys, in the order in which they came, each with its position. */
export class KeySet {
  readonly #columns: readonly TableColumn[];
  readonly #positions = new Map<IdentityKey, number>();
  readonly keys: Key[] = [];

  /** @param columns the columns that the keys are compared with */
  constructor(columns: readonly TableColumn[]) {
    this.#columns = columns;
  }

  /**
   * Adds a key, if it is not there already.
   *
   * @returns its position; undefined for a key that no row has, since a part of it is null or does not fit its column
   */
  add(values: readonly unknown[]): number | undefined {
    const key = this.#accepted(values);
    if (key === undefined) return undefined;
    const identity = identityKey(key);
    let position = this.#positions.get(identity);
    if (position === undefined) {
      position = this.keys.length;
      this.#positions.set(identity, position);
      this.keys.push(key);
    }
    return position;
  }

  /** The position of a key; undefined if it is not here. */
  find(values: readonly unknown[]): number | undefined {
    const key = this.#accepted(values);
    return key === undefined ? undefined : this.positionOf(key);
  }

  /** The position of a key that the columns hold; undefined if it is not here. */
  positionOf(values: readonly unknown[]): number | undefined {
    return this.#positions.get(identityKey(values));
  }

  /** The same for a key of one column. */
  positionOfPart(value: unknown): number | undefined {
    return this.#positions.get(identityPart(value));
  }

  #accepted(values: readonly unknown[]): Key | undefined {
    const key = new Array<unknown>(values.length);
    for (let part = 0; part < values.length; part++) {
      const value = values[part];
      if (value === null || value === undefined) return undefined;
      try {
        key[part] = acceptedBy(this.#columns[part]!, value);
      } catch (error) {
        if (error instanceof InvalidValueError) return undefined;
        throw error;
      }
    }
    return key;
  }
}

/**
 * A value as a column takes it: integers of all sizes are alike.
 *
 * @throws {InvalidValueError} if the column has no such value
 */
function acceptedBy(column: TableColumn, value: unknown): unknown {
  const { kind } = column.definition.type;
  if (kind === "bigint" && typeof value === "number") return column.accept(BigInt(value));
  if ((kind === "integer" || kind === "smallint") && typeof value === "bigint") return column.accept(Number(value));
  return column.accept(value);
}
