import type { SelectQueryNode } from "kysely";
import type { Awaitable } from "../awaitable.ts";
import type { EntitySelection } from "./entity-selection.ts";

/** What the rows of a select become: an entity each, several entities each, or nothing but rows. */
export type SelectResult =
  | { readonly kind: "entities"; readonly selection: EntitySelection }
  | { readonly kind: "together"; readonly selections: readonly EntitySelection[] }
  | { readonly kind: "rows" };

/** A select that is complete, with what its rows become. */
export interface SelectStatement {
  readonly node: SelectQueryNode;
  readonly result: SelectResult;
  /** How each model in it is read. The statement is out of date when one of them has got another child. */
  readonly models: readonly EntitySelection[];
}

/** A select as it is run. */
export type RunSelect = Pick<SelectStatement, "node" | "result">;

/** Whoever runs `select(Model)` statements: a session. */
export interface SelectRunner {
  /** Runs a statement and gives what becomes of its rows. */
  read(statement: RunSelect): Awaitable<unknown[]>;
  /** The same, row by row, without keeping clean entities. */
  stream(statement: RunSelect, chunkSize: number): AsyncIterableIterator<unknown>;
}
