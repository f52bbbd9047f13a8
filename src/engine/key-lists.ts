import {
  AndNode,
  BinaryOperationNode,
  type OperationNode,
  OperatorNode,
  type ReferenceNode,
  type TableNode,
} from "kysely";
import type { TypeKind } from "../schema/logical-type.ts";
import type { TableColumn } from "../schema/table-column.ts";

/** The values of a key, in the order of its columns; none of them is null. */
export type Key = readonly unknown[];

/** A column by which rows are found. */
export interface KeyColumn {
  readonly converter: {
    readonly column: TableColumn;
    /** Makes what the driver sends of a value that the column has accepted. */
    encode(accepted: unknown): unknown;
  };
  /** The column as the statement refers to it. */
  readonly reference: ReferenceNode;
  /** The table of the column. */
  readonly table: TableNode;
}

/** The part of a statement that finds the rows of many keys. */
export interface KeyList {
  /** The keys as rows of their own, called `keys`, beside the statement's tables; absent if the condition lists the keys. */
  readonly source?: OperationNode;
  readonly condition: OperationNode;
  /** The position of the key that found a row; absent unless it was asked for. */
  readonly position?: OperationNode;
  /** The position of the first key. */
  readonly firstPosition: 0 | 1;
  /** Makes the statement's parameters of keys that the columns have accepted. */
  given(keys: readonly Key[]): Readonly<Record<string, unknown>>;
}

/** How a family of databases finds the rows of many keys in one statement. */
export interface KeyLists {
  /** The most keys of one statement by default. */
  readonly chunk: number;
  /** The most keys of one statement that the database takes; absent where there is no limit. */
  mostKeys?(columns: number): number;
  /** Whether values of a kind are equal in the database exactly if they are equal in the application. */
  isExact(kind: TypeKind): boolean;
  /** The form of the statement for some keys: for keys of one form, the same statement will do. */
  formOf(keys: readonly Key[]): string;
  /**
   * Makes the part of a statement that finds rows by their keys.
   *
   * @param form that of the keys, by `formOf`
   * @param withPosition whether a row comes once for each key that finds it, with the key's position
   */
  list(columns: readonly KeyColumn[], form: string, withPosition: boolean): KeyList;
}

/** The condition that each column equals its part of a key. */
export function keyConditions(columns: readonly KeyColumn[], partOf: (part: number) => OperationNode): OperationNode {
  return columns
    .map(
      ({ reference }, part): OperationNode =>
        BinaryOperationNode.create(reference, OperatorNode.create("="), partOf(part)),
    )
    .reduce((all, one) => AndNode.create(all, one));
}
