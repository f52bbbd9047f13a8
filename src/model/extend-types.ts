import type { BindKey } from "../bind-key.ts";
import type { Column, Columns } from "../schema/column.ts";
import type { Flat, KeyProperties, NewRow, Row } from "../schema/row.ts";
import type { TableOptions } from "../schema/table.ts";
import type {
  AbstractClass,
  EntityRow,
  ExtendOf,
  Extensible,
  ModelOptions,
  ModelStatics,
  NewArguments,
  NewRootRow,
  OwnStatics,
  Selected,
} from "./model-types.ts";

/** The columns of a child: its own, and the parent's that it does not describe anew. */
export type Inherited<C, C2> = Flat<Omit<C, keyof C2> & C2>;

/** The columns of a joined child's entities: its key is the parent's, so what it adds to that is no key of its own. */
export type Joined<C, C2> = Flat<
  C & { [P in Exclude<keyof C2, keyof C>]: P extends KeyProperties<C2> ? LinkedKey<Selected<C2[P]>> : C2[P] }
>;

/** A column that always holds the parent's key, so that no value can be given. */
type LinkedKey<S> = Column<S, undefined>;

/** Extending a model without discriminator. */
export interface PlainExtend<C extends Columns, K extends BindKey, BK extends string> {
  /**
   * A child with a table of its own that holds all columns, in whatever bind.
   *
   * @see SQLAlchemy: concrete table inheritance
   */
  <This extends Extensible, N2 extends string, C2 extends Columns, K2 extends BK | null = K & (BK | null)>(
    this: This,
    name: N2,
    columns: C2,
    options: ConcreteOptions<K2, keyof Inherited<C, C2> & string>,
  ): Child<This, Inherited<C, C2>, C2, N2, K2, BK, never, Inherited<C, C2>, never>;
  /**
   * A child whose table holds its own columns; a row of it belongs to a row of the parent's, in the same bind.
   *
   * @see SQLAlchemy: joined table inheritance
   */
  <This extends Extensible, N2 extends string, C2 extends Columns>(
    this: This,
    name: N2,
    columns: C2,
    options?: JoinedOptions<K, keyof C2 & string>,
  ): Child<This, Joined<C, C2>, C2, N2, K, BK, never, C2, never>;
}

/**
 * Extending a model whose discriminator says which class a row is of.
 *
 * @typeParam T the columns of the model's table
 * @typeParam J the identities that a child may have
 */
export interface PolymorphicExtend<
  C extends Columns,
  N extends string,
  K extends BindKey,
  BK extends string,
  D extends keyof C,
  T extends Columns,
  J,
> {
  /** A child with a table of its own that holds all columns, in whatever bind. */
  <This extends Extensible, N2 extends string, C2 extends Columns, K2 extends BK | null = K & (BK | null)>(
    this: This,
    name: N2,
    columns: C2,
    options: ConcreteOptions<K2, keyof Inherited<C, C2> & string>,
  ): Child<This, Inherited<C, C2>, C2, N2, K2, BK, never, Inherited<C, C2>, never>;
  /** A child whose table holds its own columns; a row of it belongs to a row of the parent's, in the same bind. */
  <This extends Extensible, N2 extends string, C2 extends Columns, const I extends J, const S extends J = never>(
    this: This,
    name: N2,
    columns: C2,
    options: JoinedOptions<K, keyof C2 & string> & IdentityOptions<I, S>,
  ): Child<This, Joined<C, C2>, C2, N2, K, BK, D & keyof Joined<C, C2>, C2, I, S>;
  /**
   * A child in the parent's own table, which gets the child's columns.
   *
   * @see SQLAlchemy: single table inheritance
   */
  <This extends Extensible, C2 extends Columns, const I extends J, const S extends J = never>(
    this: This,
    columns: C2,
    options: IdentityOptions<I, S> & { readonly bindKey?: K },
  ): Child<This, Inherited<C, C2>, C2, N, K, BK, D & keyof Inherited<C, C2>, Inherited<T, C2>, I, S>;
}

/** Says which rows are a child's. */
interface IdentityOptions<I, S> {
  /** The discriminator's value in rows of the child itself. */
  readonly identity: I;
  /**
   * The identities of classes that extend the child in their turn: its discriminator holds one of these in their rows.
   * Defaults to none.
   */
  readonly children?: readonly S[];
}

interface ConcreteOptions<K, P extends string> extends TableOptions<P> {
  /** The child's table holds all columns. */
  readonly concrete: true;
  /** The bind of the child. Defaults to that of the parent. */
  readonly bindKey?: K;
}

interface JoinedOptions<K, P extends string> extends TableOptions<P> {
  /** The parent's bind: the two tables are read together. */
  readonly bindKey?: K;
}

/**
 * The class of a child: a class of its parent too, with the static members that the application gave it.
 *
 * @typeParam C the columns of its entities
 * @typeParam C2 those that the parent has not
 * @typeParam D the discriminator, whose value is the child's identity
 * @typeParam T the columns of its table
 * @typeParam I the child's identity
 * @typeParam S the identities of the child's own children
 */
export type Child<
  This extends Extensible,
  C extends Columns,
  C2 extends Columns,
  N extends string,
  K extends BindKey,
  BK extends string,
  D extends keyof C,
  T extends Columns,
  I,
  S = never,
> = (new (
  ...values: NewArguments<[D] extends [never] ? NewRow<C> : Omit<NewRow<C>, D>>
) => InstanceType<This> & Row<C2> & { readonly [P in D]: I | S }) &
  OwnStatics<This> &
  ModelStatics<C, N, K, T> &
  ExtendOf<C, N, K, BK, D, T, S>;

/** A base without a table: its children get its columns and, unless they say otherwise, its bind key. */
export interface AbstractExtend<C extends Columns, K extends BindKey, BK extends string> {
  /** The bind key that children get unless they say otherwise. */
  readonly bindKey: K;
  /** A model with the base's columns and its own. */
  extend<
    This extends Extensible,
    N extends string,
    C2 extends Columns,
    K2 extends BK | null = K & (BK | null),
    D extends keyof Inherited<C, C2> & string = never,
    I extends Selected<Inherited<C, C2>[D]> = never,
  >(
    this: This,
    name: N,
    columns: C2,
    options?: ModelOptions<K2, D, I, keyof Inherited<C, C2> & string>,
  ): (new (
    ...values: NewArguments<NewRootRow<Inherited<C, C2>, D, I>>
  ) => InstanceType<This> & EntityRow<C2, D & keyof C2>) &
    OwnStatics<This> &
    ModelStatics<Inherited<C, C2>, N, K2> &
    ExtendOf<Inherited<C, C2>, N, K2, BK, D, Inherited<C, C2>>;
  /** Another base without a table, with these columns too. */
  extendAbstract<This extends Extensible, C2 extends Columns, K2 extends BK | null = K & (BK | null)>(
    this: This,
    columns: C2,
    options?: { readonly bindKey?: K2 },
  ): AbstractClass<This, Inherited<C, C2>, K2, BK, C2>;
}
