import fc from "fast-check";

/** Places of the three binds in their lists: one of each family. */
export type Bind = 0 | 1 | 2;

/** The value of a column as a program gives it: `keyOf` names the number of an entity. */
export type GivenRef = null | number | { readonly keyOf: number };

/** A change to an entity. */
export type Change =
  | { readonly value: number }
  | { readonly note: string | null }
  | { readonly ref: GivenRef }
  /** A value that is unique in its table, on the binds that have such a column. */
  | { readonly code: number | null }
  /** The discriminator: that of the class, or of another one. */
  | { readonly kind: "own" | "other" };

/** The ways in which a model of another `Multibind` object is given to the session. */
export type ForeignUse = "add" | "get" | "select" | "insertInto" | "merge";

/** What a new entity is given. */
export interface Given {
  /** A key, or none, so that one is generated. */
  readonly key: number | undefined;
  readonly value: number;
  readonly note: string | null | undefined;
  readonly ref: GivenRef | undefined;
  readonly code: number | null | undefined;
}

/** One step of a program. Entities are named by numbers, which wrap around those that there are. */
export type Operation =
  | { readonly kind: "new"; readonly bind: Bind; readonly given: Given; readonly add: boolean }
  | { readonly kind: "add" | "delete" | "expunge" | "refresh" | "merge"; readonly entity: number }
  | { readonly kind: "mergeNew"; readonly bind: Bind; readonly given: Given }
  | { readonly kind: "change"; readonly entity: number; readonly change: Change }
  | { readonly kind: "get"; readonly bind: Bind; readonly key: number; readonly lock: boolean }
  | { readonly kind: "getOf"; readonly entity: number; readonly lock: boolean }
  | { readonly kind: "query"; readonly bind: Bind }
  | { readonly kind: "sqlUpdate" | "othersUpdate"; readonly entity: number; readonly value: number }
  | { readonly kind: "sqlDelete" | "othersDelete"; readonly entity: number }
  | { readonly kind: "flush" | "commit" | "rollback" | "begin" | "beginNested" | "reset" | "expungeAll" }
  | { readonly kind: "commitNested" | "rollbackNested"; readonly nested: number }
  /** A bulk update of the rows with a value. */
  | { readonly kind: "bulkUpdate"; readonly bind: Bind; readonly value: number; readonly note: string | null }
  /** Two entities of a bind exchange their unique values. */
  | { readonly kind: "swap"; readonly entity: number; readonly other: number }
  | { readonly kind: "foreign"; readonly use: ForeignUse }
  | {
      readonly kind: "transaction";
      readonly body: readonly Operation[];
      readonly throws: boolean;
      /** Whether it fails once with an error after which it is run again. */
      readonly retries: boolean;
    };

const bind = fc.constantFrom<Bind[]>(0, 1, 2);
const number = fc.nat(40);
const value = fc.nat(3);
const note = fc.constantFrom(null, "a", "b");
/** Few, so that they meet. */
const key = fc.integer({ min: 1, max: 4 });
const ref: fc.Arbitrary<GivenRef> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom<GivenRef[]>(null, 7) },
  { weight: 2, arbitrary: fc.record({ keyOf: number }) },
);
const code = fc.constantFrom(null, 1, 2, 3);
const given: fc.Arbitrary<Given> = fc.record({
  key: fc.option(key, { nil: undefined, freq: 2 }),
  value,
  note: fc.option(note, { nil: undefined }),
  ref: fc.option(ref, { nil: undefined, freq: 1 }),
  code: fc.option(code, { nil: undefined, freq: 1 }),
});
const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ value }) },
  { weight: 4, arbitrary: fc.record({ note }) },
  { weight: 4, arbitrary: fc.record({ ref }) },
  { weight: 4, arbitrary: fc.record({ code }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("own", "own", "other") }) },
);
const kind = <K extends string>(...kinds: readonly K[]) => fc.constantFrom(...kinds);

const { operation } = fc.letrec<{ operation: Operation; body: readonly Operation[] }>((tie) => ({
  operation: fc.oneof(
    { depthSize: "small", maxDepth: 3, withCrossShrink: true },
    { weight: 24, arbitrary: fc.record({ kind: kind("new"), bind, given, add: fc.constant(true) }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("new"), bind, given, add: fc.constant(false) }) },
    { weight: 20, arbitrary: fc.record({ kind: kind("change"), entity: number, change }) },
    { weight: 12, arbitrary: fc.record({ kind: kind("delete"), entity: number }) },
    { weight: 14, arbitrary: fc.record({ kind: kind("add", "expunge", "refresh", "merge"), entity: number }) },
    { weight: 4, arbitrary: fc.record({ kind: kind("mergeNew"), bind, given }) },
    { weight: 5, arbitrary: fc.record({ kind: kind("get"), bind, key, lock: fc.boolean() }) },
    { weight: 6, arbitrary: fc.record({ kind: kind("getOf"), entity: number, lock: fc.boolean() }) },
    { weight: 5, arbitrary: fc.record({ kind: kind("query"), bind }) },
    { weight: 6, arbitrary: fc.record({ kind: kind("sqlUpdate", "othersUpdate"), entity: number, value }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("sqlDelete", "othersDelete"), entity: number }) },
    { weight: 6, arbitrary: fc.record({ kind: kind("bulkUpdate"), bind, value, note }) },
    { weight: 8, arbitrary: fc.record({ kind: kind("swap"), entity: number, other: number }) },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: kind("foreign"),
        use: fc.constantFrom<ForeignUse[]>("add", "get", "select", "insertInto", "merge"),
      }),
    },
    { weight: 34, arbitrary: fc.record({ kind: kind("flush", "commit", "commit", "rollback", "beginNested") }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("begin", "reset", "expungeAll") }) },
    { weight: 12, arbitrary: fc.record({ kind: kind("commitNested", "rollbackNested"), nested: fc.nat(3) }) },
    {
      weight: 8,
      arbitrary: fc.record({
        kind: kind("transaction"),
        body: tie("body"),
        throws: fc.boolean(),
        retries: fc.boolean(),
      }),
    },
  ),
  body: fc.array(tie("operation"), { maxLength: 6, depthIdentifier: "body" }),
}));

/** A random program. */
export const program: fc.Arbitrary<readonly Operation[]> = fc.array(operation, {
  minLength: 1,
  maxLength: 25,
  size: "max",
});
