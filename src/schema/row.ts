import type { ColumnType } from "kysely";
import type { Column, Columns } from "./column.ts";

/** Makes an editor show an intersection as one object. */
export type Flat<T> = { [P in keyof T]: T[P] } & {};

type Selected<X> = X extends Column<infer S, infer _I, infer _P, infer _A> ? S : never;
type Inserted<X> = X extends Column<infer _S, infer I, infer _P, infer _A> ? I : never;

/** A row of a table as it is read: each column's value by its property. */
export type Row<C> = { -readonly [P in keyof C]: Selected<C[P]> };

/** The properties of the columns of the primary key. */
export type KeyProperties<C> = {
  [P in keyof C]: C[P] extends { readonly $types: { readonly key: true } } ? P : never;
}[keyof C];

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;

/** The property of the key that the database generates, if there is one. */
export type AutomaticKey<C, P = KeyProperties<C>> =
  IsUnion<P> extends true
    ? never
    : P extends keyof C
      ? C[P] extends { readonly $types: { readonly automatic: true } }
        ? P
        : never
      : never;

type OptionalProperties<C> =
  | AutomaticKey<C>
  | { [P in keyof C]: undefined extends Inserted<C[P]> ? P : never }[keyof C];

/** The values of a new row: what has a default, may be null or is generated may be left out. */
export type NewRow<C> = Flat<
  { [P in Exclude<keyof C, OptionalProperties<C>>]: Inserted<C[P]> } & {
    [P in OptionalProperties<C> & keyof C]?: Inserted<C[P]> | undefined;
  }
>;

/** A primary key: the value itself, or for a composite key an object with each part. */
export type KeyValue<C> =
  IsUnion<KeyProperties<C>> extends true
    ? { readonly [P in KeyProperties<C> & keyof C]: Selected<C[P]> }
    : Selected<C[KeyProperties<C> & keyof C]>;

/** The columns as Kysely's types want them: what is selected, inserted and updated. */
export type KyselyRow<C extends Columns> = {
  [P in keyof C]: ColumnType<
    Selected<C[P]>,
    P extends AutomaticKey<C> ? Inserted<C[P]> | undefined : Inserted<C[P]>,
    Selected<C[P]>
  >;
};
