import type { DeleteQueryNode, SelectQueryNode, UpdateQueryNode } from "kysely";
import type { Mapper } from "../../model/mapper.ts";

/** A statement that writes the rows that a select finds. */
export interface BulkStatement {
  readonly node: UpdateQueryNode | DeleteQueryNode;
  /** What entities of the rows can show from then on; absent where only the database knows. */
  readonly assignment?: BulkAssignment | undefined;
}

/** The values that an update gives to all its rows. */
export interface BulkAssignment {
  readonly mapper: Mapper;
  /** Values in their canonical form by property, those left out that the database works out. */
  readonly values: Readonly<Record<string, unknown>>;
  /** The update that gives back the keys of its rows. */
  readonly returning: UpdateQueryNode;
  /** Reads the keys of the rows and locks them. */
  readonly keys: SelectQueryNode;
}
