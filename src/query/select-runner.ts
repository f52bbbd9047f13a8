import type { SelectQueryNode } from "kysely";
import type { Awaitable } from "../awaitable.ts";
import type { EntitySelection } from "./entity-selection.ts";

/** Whoever runs `select(Model)` statements: a session. */
export interface SelectRunner {
  /** Runs a statement and makes entities of its rows. */
  entities(node: SelectQueryNode, selection: EntitySelection): Awaitable<object[]>;
  /** The same, row by row, without keeping clean entities. */
  streamEntities(node: SelectQueryNode, selection: EntitySelection, chunkSize: number): AsyncIterableIterator<object>;
  /** Runs a statement and gives its rows. */
  rows(node: SelectQueryNode): Promise<Record<string, unknown>[]>;
}
