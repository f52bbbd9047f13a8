import type { BindKey } from "../../bind-key.ts";
import type { AliasedModel } from "../../model/aliased-model.ts";
import type { Entity } from "../../model/entity.ts";
import type { ModelStatics } from "../../model/model-types.ts";
import type { Loaded } from "../../model/relations/relation-types.ts";
import type { Columns } from "../../schema/column.ts";
import type { KyselyRow, Row } from "../../schema/row.ts";
import type { Table } from "../../schema/table.ts";
import type { AcrossOptions } from "./relation-filter.ts";
import type { Select } from "./select.ts";

/** The possible targets of a join: a model, under its own name or another, or a table of the same bind. */
export type Joinable<C extends Columns, N extends string, K extends BindKey> =
  | ModelStatics<Columns, N, K, C>
  | Table<C, N, K>
  | AliasedModel<unknown, Columns, N, K, C>;

/** A model whose entities a statement reads beside those of its first model. */
export type ReadModel<E, C extends Columns, N extends string, K extends BindKey> =
  // biome-ignore lint/suspicious/noExplicitAny: a table's columns appear in and out of its type, so only `any` fits every one
  | ((abstract new (...values: never) => E) & ModelStatics<C, N, K, any>)
  // biome-ignore lint/suspicious/noExplicitAny: as above
  | AliasedModel<E, C, N, K, any>;

/** A model under another name, as functions take it. */
// biome-ignore lint/suspicious/noExplicitAny: as above
export type AnyAlias = AliasedModel<unknown, any, string, BindKey, any>;

/** The tables of a statement with one more. */
export type WithTable<DB, N extends string, C extends Columns> = DB & { [P in N]: KyselyRow<C> };

/** The tables of a statement with one more whose columns may all be null, for outer joins. */
export type WithOptionalTable<DB, N extends string, C extends Columns> = DB & {
  [P in N]: { [Q in keyof C]: Row<C>[Q] | null };
};

/** What rows become when one more entity is read from each. */
export type Together<E, E2> = E extends readonly unknown[] ? [...E, E2] : [E, E2];

/** A select of entities, by what its rows become and its bind: matching the class itself would cost the compiler far more. */
export interface SelectIn<E, K extends BindKey> {
  readonly $statement: { readonly entity: E; readonly bindKey: K };
}

/** Within a bind nothing need be said of the keys of a filter; across binds their number must be bounded. */
export type Across<K, K2> = [K2] extends [K] ? [options?: AcrossOptions] : [options: AcrossOptions];

/** The first entity of a row: that of the model that a select began with. */
export type FirstOf<E> = E extends readonly [infer F, ...unknown[]] ? F : E;

/** What rows become when relations of the first entity are loaded. */
export type WithIncluded<E, I> = E extends readonly [infer F, ...infer R] ? [Loaded<F, I>, ...R] : Loaded<E, I>;

/** What else than columns rows can be ordered by: the names of what was selected. */
export type OrderNames<E> = E extends Entity | readonly unknown[] ? Record<never, never> : E;

/** Values that columns are to equal; null means that the column is null, a list that it is one of these. */
export type Equalities<C> = { readonly [P in keyof C]?: Row<C>[P] | readonly Row<C>[P][] | null };

/** A select of a model, as `select(Model)` types it. */
export type SelectOf<M> =
  M extends ModelStatics<infer C, infer N, infer K, infer _T>
    ? Select<{ [P in N]: KyselyRow<C> }, N, InstanceType<Extract<M, abstract new (...values: never) => unknown>>, K, C>
    : M extends AliasedModel<infer E, infer C, infer N, infer K, infer _T>
      ? Select<{ [P in N]: KyselyRow<C> }, N, E, K, C>
      : never;
