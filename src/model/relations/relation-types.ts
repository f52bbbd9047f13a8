import type { BindKey } from "../../bind-key.ts";
import type { KeyValue } from "../../schema/row.ts";
import type { AnyTable, Table } from "../../schema/table.ts";
import type { AnyModel, ModelStatics } from "../model-types.ts";

declare const TARGET: unique symbol;
declare const KIND: unique symbol;

/** A to-one relation before it is loaded, to the compiler. There is no such value at run time: reading it throws. */
export interface Unloaded<T> {
  readonly [TARGET]: T;
}

/**
 * A relation to one entity; `ToOne<User | null>` where there may be none. It is declared in the class, and can be read
 * once it is loaded.
 *
 * @example
 * class Post extends db.model("post", { id: integer().primaryKey(), authorId: integer() }) {
 *   declare readonly author: ToOne<User>;
 *   static { db.relate(this, (r) => ({ author: r.belongsTo(() => User, "authorId") })); }
 * }
 *
 * @see SQLAlchemy: `Mapped["User"] = relationship()`
 */
export type ToOne<T> = T | Unloaded<T>;

/**
 * A relation to many entities. It can be read once it is loaded.
 *
 * @see SQLAlchemy: `Mapped[list["Post"]] = relationship()`
 */
export interface ToMany<T> {
  readonly [TARGET]: T;
  /** Whether it was loaded. */
  readonly isLoaded: boolean;
}

/** A relation to many entities that was loaded: a list in the order of the primary key, or the relation's own. */
export interface LoadedMany<T> extends ToMany<T>, Iterable<T> {
  /** How many there are. */
  readonly length: number;
  /** The entities. */
  readonly items: readonly T[];
  /** The entity at a position; a negative one counts from the end. */
  at(index: number): T | undefined;
  /** Whether an entity is among them. */
  has(entity: unknown): boolean;
  /** The results of a function for each. */
  map<U>(change: (item: T, index: number) => U): U[];
  /** Those for which a function returns true. */
  filter(keep: (item: T, index: number) => boolean): T[];
  /** The first for which a function returns true. */
  find(test: (item: T, index: number) => boolean): T | undefined;
}

/** A relation to some of the entities that belong to a parent, those of a statement. */
export interface ReadOnlyMany<T> {
  readonly [TARGET]: T;
  readonly [KIND]: "view";
  /** Whether it was loaded. */
  readonly isLoaded: boolean;
}

/** A {@link ReadOnlyMany} that was loaded. */
export type LoadedReadOnlyMany<T> = ReadOnlyMany<T> & Omit<LoadedMany<T>, typeof TARGET>;

type TargetOf<V> = V extends { readonly [TARGET]: infer T } ? T : never;

/** The target of a relation. */
export type RelatedTo<E, P extends keyof E> = NonNullable<TargetOf<E[P]>>;

/** The names of the relations that a class declares. */
export type RelationNames<E> = { [P in keyof E]-?: [TargetOf<E[P]>] extends [never] ? never : P }[keyof E];

/** The relations that may be included with entities of a class, and within them those of theirs. */
export type IncludeOf<E> = {
  readonly [P in keyof E as [TargetOf<E[P]>] extends [never] ? never : P]?:
    | true
    | IncludeOf<NonNullable<TargetOf<E[P]>>>;
};

/** Refuses what is no relation, at any depth. */
export type OnlyRelations<I, E> = {
  readonly [P in keyof I]: P extends keyof E
    ? [TargetOf<E[P]>] extends [never]
      ? never
      : I[P] extends true
        ? true
        : OnlyRelations<I[P], NonNullable<TargetOf<E[P]>>>
    : never;
};

/**
 * An entity whose relations were loaded as an include says.
 *
 * @example
 * function summary(user: Loaded<User, { posts: true }>) { return `${user.name}: ${user.posts.length} posts`; }
 */
export type Loaded<E, I> = E & { readonly [P in keyof I & keyof E]: LoadedValue<E[P], I[P]> };

type LoadedValue<V, I> =
  V extends ReadOnlyMany<infer T>
    ? LoadedReadOnlyMany<Nested<T, I>>
    : V extends ToMany<infer T>
      ? LoadedMany<Nested<T, I>>
      : Nested<TargetOf<V>, I>;

type Nested<T, I> = I extends true ? T : T extends null ? null : Loaded<T, I>;

// ------------------------------------------------------------------ what `db.relate` takes

/** The facts about a relation to one entity. */
export interface ToOneFact<T> {
  readonly [KIND]: "one";
  readonly [TARGET]: T;
}

/** The facts about a relation to many entities. */
export interface ToManyFact<T> {
  readonly [KIND]: "many";
  readonly [TARGET]: T;
}

/** The facts about a relation that is only read. */
export interface ViewFact<T> {
  readonly [KIND]: "view";
  readonly [TARGET]: T;
}

/** The columns of a model. */
export type ColumnsOf<M> = M extends ModelStatics<infer C, string, BindKey, infer _T> ? C : never;

type LinkColumns<L> = L extends Table<infer C, string, BindKey> ? C : ColumnsOf<L>;
type InstanceOf<M> = M extends abstract new (...values: never) => infer E ? E : never;
type ValueOf<X> = X extends { readonly $types: { readonly select: infer S } } ? S : never;
type OrNull<X, T> = null extends ValueOf<X> ? T | null : T;

/** A column's name if its values are like those of the key, else what is wrong, for the compiler's message. */
type Holding<C, P, V> = P extends keyof C
  ? [NonNullable<ValueOf<C[P]>>] extends [V]
    ? P
    : { readonly error: "the values of this column are not like those of the key" }
  : never;

/** Columns of one side by those of the other: `{ parentColumn: "childColumn" }`. */
type Pairs<Parent, Child, P> = {
  readonly [Q in keyof P]: Q extends keyof Parent ? Holding<Child, P[Q], ValueOf<Parent[Q]>> : never;
};

/** Options of `r.belongsTo`. */
export interface BelongsToOptions {
  /** `"null"`: a key that no row has reads as null; by default reading it throws `DanglingReferenceError`. */
  readonly missing?: "null" | undefined;
}

/** Options of `r.hasMany`. */
export interface HasManyOptions<P extends string = string> {
  /** The columns of the target to order by, `-` in front for descending. Defaults to its primary key. */
  readonly orderBy?: P | `-${P}` | readonly (P | `-${P}`)[] | undefined;
}

/** Options of `r.hasOne`. */
export interface HasOneOptions {
  /**
   * `false`: no constraint says that the target's column is unique, such as in a table that is not yours. Two rows are a
   * `MultipleResultsError` then.
   */
  readonly unique?: boolean | undefined;
}

/** Says how the relations of a model are stored. Its methods know the model's columns. */
export interface Relater<C> {
  /**
   * A column of this model holds the key of the target; or, for a composite key or other unique columns of the target, several
   * do: `{ targetColumn: "ownColumn" }`.
   *
   * @see SQLAlchemy: `relationship(foreign_keys=…)`, many-to-one
   */
  belongsTo<T extends AnyModel, P extends keyof C & string>(
    target: () => T,
    column: P & Holding<C, P, KeyValue<ColumnsOf<T>>>,
    options?: BelongsToOptions,
  ): ToOneFact<OrNull<C[P], InstanceOf<T>>>;
  belongsTo<T extends AnyModel, const P extends object>(
    target: () => T,
    columns: P & Pairs<ColumnsOf<T>, C, P>,
    options?: BelongsToOptions,
  ): ToOneFact<InstanceOf<T> | (null extends ValueOf<C[P[keyof P] & keyof C]> ? null : never)>;
  /**
   * A column of the target holds the key of this model; or several do: `{ ownColumn: "targetColumn" }`.
   *
   * @see SQLAlchemy: `relationship()`, one-to-many
   */
  hasMany<T extends AnyModel, P extends keyof ColumnsOf<T> & string>(
    target: () => T,
    column: P & Holding<ColumnsOf<T>, P, KeyValue<C>>,
    options?: HasManyOptions<keyof ColumnsOf<T> & string>,
  ): ToManyFact<InstanceOf<T>>;
  hasMany<T extends AnyModel, const P extends object>(
    target: () => T,
    columns: P & Pairs<C, ColumnsOf<T>, P>,
    options?: HasManyOptions<keyof ColumnsOf<T> & string>,
  ): ToManyFact<InstanceOf<T>>;
  /**
   * The same as {@link hasMany}, of one row at most.
   *
   * @see SQLAlchemy: `relationship(uselist=False)`
   */
  hasOne<T extends AnyModel, P extends keyof ColumnsOf<T> & string>(
    target: () => T,
    column: P & Holding<ColumnsOf<T>, P, KeyValue<C>>,
    options?: HasOneOptions,
  ): ToOneFact<InstanceOf<T> | null>;
  hasOne<T extends AnyModel, const P extends object>(
    target: () => T,
    columns: P & Pairs<C, ColumnsOf<T>, P>,
    options?: HasOneOptions,
  ): ToOneFact<InstanceOf<T> | null>;
  /**
   * Rows of a table between, in any bind, hold the keys of both sides: a model, or a plain table.
   *
   * @see SQLAlchemy: `relationship(secondary=…)`
   */
  manyToMany<T extends AnyModel, L extends AnyModel | AnyTable, F extends string, G extends string>(
    target: () => T,
    link: () => L,
    columns: {
      readonly from: F & Holding<LinkColumns<L>, F, KeyValue<C>>;
      readonly to: G & Holding<LinkColumns<L>, G, KeyValue<ColumnsOf<T>>>;
    },
  ): ToManyFact<InstanceOf<T>>;
  /** Some of the target's rows that hold this model's key: those that a statement finds. */
  view<T extends AnyModel, P extends keyof ColumnsOf<T> & string>(
    target: () => T,
    column: P & Holding<ColumnsOf<T>, P, KeyValue<C>>,
    statement: () => StatementOf<InstanceOf<T>>,
  ): ViewFact<InstanceOf<T>>;
}

/** A select of a model, of which only the entities matter here. */
export interface StatementOf<E> {
  all(): Promise<E[]>;
}

/** The facts that each relation of a class needs. */
export type RelationFacts<E> = {
  readonly [P in RelationNames<E>]: E[P] extends ReadOnlyMany<infer T>
    ? ViewFact<T>
    : E[P] extends ToMany<infer T>
      ? ToManyFact<T>
      : ToOneFact<TargetOf<E[P]>>;
};

/**
 * A plain object of an entity's columns and of the loaded relations that are named.
 */
export type Plain<E, I> = {
  [P in keyof E as E[P] extends (...values: never) => unknown
    ? never
    : [TargetOf<E[P]>] extends [never]
      ? P
      : never]: E[P];
} & { [P in keyof I & keyof E]: PlainValue<E[P], I[P]> };

type PlainValue<V, I> =
  V extends LoadedMany<infer T>
    ? PlainNested<T, I>[]
    : V extends { readonly [KIND]: "view"; readonly items: readonly (infer T)[] }
      ? PlainNested<T, I>[]
      : V extends ToMany<unknown> | ReadOnlyMany<unknown> | Unloaded<unknown>
        ? never
        : PlainNested<V, I>;

type PlainNested<T, I> = T extends null ? null : Plain<T, I extends true ? Record<never, never> : I>;
