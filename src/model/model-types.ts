import type { AliasedExpression } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { Columns } from "../schema/column.ts";
import type { Flat, KeyValue, KyselyRow, NewRow, Row } from "../schema/row.ts";
import type { Table, TableOptions } from "../schema/table.ts";
import type { AliasedModel } from "./aliased-model.ts";
import type { Entity, MAPPER } from "./entity.ts";
import type { AbstractExtend, PlainExtend, PolymorphicExtend } from "./extend-types.ts";
import type { Mapper } from "./mapper.ts";

/** The values of a column that determines the class of a row. */
export type Selected<X> = X extends { readonly $types: { readonly select: infer S } } ? S : never;

/** The arguments of a model's constructor: the values of a new row, which may be left out if none is needed. */
export type NewArguments<V> = Record<never, never> extends V ? [values?: V] : [values: V];

/** The values of a new row of a root: the discriminator may be left out where the root's class has an identity. */
export type NewRootRow<C, D extends keyof C, I> = [I] extends [never]
  ? NewRow<C>
  : Flat<Omit<NewRow<C>, D> & Partial<Pick<NewRow<C>, D & keyof NewRow<C>>>>;

/**
 * The columns of an entity. Its discriminator is read-only: a row does not change its class.
 *
 * @typeParam D the discriminator, if there is one
 */
export type EntityRow<C, D extends PropertyKey> = [D] extends [never]
  ? Row<C>
  : Row<Omit<C, D>> & { readonly [P in D & keyof C]: Selected<C[P]> };

/** Options of `db.model`. */
export interface ModelOptions<K, D, I, P extends string> extends TableOptions<P> {
  /** The bind that the model belongs to. Defaults to the default bind. */
  readonly bindKey?: K;
  /** The column whose value says which class a row is of, for a model with children. */
  readonly discriminator?: D;
  /** The discriminator's value in rows of this class itself. */
  readonly identity?: I;
}

/** A mapper that knows, for types only, what columns its entities have. */
export interface MapperOf<C> extends Mapper {
  readonly $columns?: C;
}

/**
 * The static members of a model's class.
 *
 * @typeParam C the columns of its entities
 * @typeParam T the columns of its table: of a joined child, only the child's own
 */
export interface ModelStatics<C extends Columns, N extends string, K extends BindKey, T extends Columns = C>
  extends AliasedExpression<KyselyRow<T>, N> {
  /** The table's name. */
  readonly tableName: N;
  /** The bind that the model belongs to, fixed for good; `null` is the default one. */
  readonly bindKey: K;
  /** The table's columns by property. */
  readonly columns: Table<T, N, K>["columns"];
  /** The table that the model is mapped to; of a joined child, its own. */
  readonly table: Table<T, N, K>;
  /**
   * The model under another name, for a statement that reads it twice: the same as `alias(Model, name)`.
   *
   * @throws {UnmappedClassError} if the model has another class
   *
   * @example
   * await db.select(Employee).joinAndSelect(Employee.as("boss"), "boss.id", "employee.bossId").all();
   *
   * @see SQLAlchemy: `aliased`
   */
  as<M, A extends string>(this: M, alias: A): AliasOf<M, A>;
  /** @internal */
  readonly [MAPPER]: MapperOf<C>;
}

/** A model under another name, as `alias(Model, name)` types it. */
export type AliasOf<M, A extends string> =
  M extends ModelStatics<infer C, infer _N, infer K, infer T>
    ? AliasedModel<InstanceType<Extract<M, abstract new (...values: never) => unknown>>, C, A, K, T>
    : never;

/** A class of any model, as functions take it. */
// biome-ignore lint/suspicious/noExplicitAny: columns appear in and out of a model's type, so only `any` fits every one
export type AnyModel = (abstract new (...values: any) => Entity) & ModelStatics<any, string, BindKey, any>;

/** The constructor of a model that may be extended, whatever its arguments. */
export type Extensible = abstract new (values: never) => Entity;

/** The static members of a class beyond those of every model: children inherit them. */
export type OwnStatics<This> = Pick<
  This,
  Exclude<keyof This, "prototype" | "extend" | "extendAbstract" | keyof ModelStatics<Columns, string, BindKey>>
>;

/**
 * How a model with such columns is extended.
 *
 * @typeParam J the identities that its children may have
 */
export type ExtendOf<
  C extends Columns,
  N extends string,
  K extends BindKey,
  BK extends string,
  D extends keyof C,
  T extends Columns,
  J = Selected<C[D]>,
> = {
  readonly extend: [D] extends [never] ? PlainExtend<C, K, BK> : PolymorphicExtend<C, N, K, BK, D, T, J>;
};

/** The class that `db.model` returns, to be extended by the application's own. */
export type ModelClass<
  C extends Columns,
  N extends string,
  K extends BindKey,
  BK extends string,
  D extends keyof C,
  V = NewRow<C>,
> = (new (
  ...values: NewArguments<V>
) => Entity & EntityRow<C, D>) &
  ModelStatics<C, N, K> &
  ExtendOf<C, N, K, BK, D, C>;

/** The class that `db.abstractModel` returns. */
export type AbstractClass<
  This extends Extensible,
  C extends Columns,
  K extends BindKey,
  BK extends string,
  Own extends Columns,
> = (abstract new (
  ...values: NewArguments<NewRow<C>>
) => InstanceType<This> & Row<Own>) &
  OwnStatics<This> &
  AbstractExtend<C, K, BK>;

/**
 * The primary key of a model's rows: the value itself, or for a composite key an object with each part.
 *
 * @example
 * const id: PrimaryKeyOf<typeof User> = 1;
 * const seats: PrimaryKeyOf<typeof Member> = { userId: 1, groupId: 2 };
 *
 * @see SQLAlchemy: the type of the argument of `Session.get`
 */
export type PrimaryKeyOf<M extends AnyModel> =
  M extends ModelStatics<infer C, string, BindKey, infer _T> ? KeyValue<C> : never;
