import type { SelectQueryNode } from "kysely";
import type { Awaitable } from "../../awaitable.ts";
import type { BindKey } from "../../bind-key.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import type { Template } from "../prepared/template.ts";
import type { BulkStatement } from "./bulk-statement.ts";
import type { EntitySelection } from "./entity-selection.ts";
import type { IncludePlan } from "./include.ts";

/** How rows are read. */
export interface ReadOptions {
  /** Ends the statement when it is aborted, and the wait for its turn and a connection; on the server too where it can. */
  readonly signal?: AbortSignal | undefined;
  /** `false`: pending work is not flushed before. */
  readonly autoflush?: boolean | undefined;
}

export const READ_OPTIONS: readonly (keyof ReadOptions)[] = ["autoflush", "signal"];

/** The result of a select's rows: one entity each, several entities each, or plain rows. */
export type SelectResult =
  | { readonly kind: "entities"; readonly selection: EntitySelection; readonly include?: IncludePlan | undefined }
  | {
      readonly kind: "together";
      readonly selections: readonly EntitySelection[];
      readonly include?: IncludePlan | undefined;
    }
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

/** A select with parameters in place of its values, compiled once for each application. */
export interface SelectTemplate {
  readonly template: Template;
  readonly result: SelectResult;
}

/** A select as a database gets it. */
export interface CompiledSelect {
  readonly sql: string;
  /** The values of the parameters, as the driver takes them. */
  readonly parameters: readonly unknown[];
  /** Where it runs; null is the default bind. */
  readonly bindKey: BindKey;
}

/** What became of a row, and the values of the columns that were read beside it. */
export interface ReadWith {
  readonly item: unknown;
  readonly values: readonly unknown[];
}

/** Runs `select(Model)` statements: a session. */
export interface SelectRunner {
  /** Runs a statement and gives what becomes of its rows. */
  read(statement: RunSelect, options: ReadOptions): Awaitable<unknown[]>;
  /** The same for a statement that is compiled already. */
  readTemplate(select: SelectTemplate, given: GivenValues, options: ReadOptions): Awaitable<unknown[]>;
  /** The same, row by row, without keeping clean entities. */
  stream(statement: RunSelect, chunkSize: number, options: ReadOptions): AsyncIterableIterator<unknown>;
  /**
   * Runs a statement and gives what becomes of its rows, with the values of some columns that are read for the caller
   * alone: neither entities nor rows have them.
   */
  readWith(columns: readonly string[], statement: RunSelect, options: ReadOptions): Promise<ReadWith[]>;
  /** Whether a bind's database orders null before all values. */
  nullsComeFirst(bindKey: BindKey): boolean;
  /** Runs a statement that writes rows, gives loaded entities their new values, and returns the number of rows. */
  write(statement: BulkStatement, options: ReadOptions): Promise<number>;
  /**
   * What would be sent.
   *
   * @param bindKey the bind that the statement has to belong to, if any
   */
  compile(node: SelectQueryNode, bindKey: BindKey | undefined): CompiledSelect;
}
