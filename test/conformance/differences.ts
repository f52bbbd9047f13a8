import { ourError } from "./compare/errors.ts";
import type { Json, JsonObject } from "./read/json.ts";

/** What is expected of a case instead of what was recorded, where the normalisations have not said it already. */
export interface Instead {
  /** Values of steps by their index. */
  readonly steps?: Readonly<Record<number, Json>>;
  /** What is sent in a step, as `event@bind`, by the step's index. */
  readonly trace?: Readonly<Record<number, readonly string[]>>;
  /** The binds chosen in a step, by its index. */
  readonly chosen?: Readonly<Record<number, readonly Json[]>>;
  /** Members of the result of a case about models. */
  readonly result?: JsonObject;
}

/** A case, or a few alike, in which multibind deliberately differs from the original. */
export interface Difference {
  readonly ids: RegExp;
  /** What multibind does. */
  readonly what: string;
  readonly why: string;
  readonly instead: Instead;
}

/**
 * The reviewed list of single cases in which multibind deliberately differs. Rules for whole classes of cases are in
 * normalisations.ts. Each entry must be needed: the tests fail if a case agrees without it.
 */
export const knownDifferences: readonly Difference[] = [
  {
    ids: /^names-existing-table-same-name$/,
    what: "A class does not take over a table because of its name: without columns of its own it is refused.",
    why: "A class is mapped to an existing table by `db.model(table)`, so that a name given twice is never a guess (design.md §4, Metadata).",
    instead: {
      result: {
        defined: [
          { table: "big_duck", metadata: "<default>" },
          { model: "BigDuck", ...ourError("SchemaError") },
        ],
      },
    },
  },
  {
    ids: /^metadata-naming-own-metadata$/,
    what: "The naming convention names the constraints of every table.",
    why: "There are no metadata objects of one's own, so none can be without the convention (design.md §4, Metadata).",
    instead: {
      result: {
        constraint_names: {
          "<default>/swan": {
            check_constraint: ["ck_swan_n_pos"],
            index: ["ix_swan_tag"],
            primary_key_constraint: ["pk_swan"],
            unique_constraint: ["uq_swan_code"],
          },
        },
      },
    },
  },
  {
    ids: /^session-commit-error-after$/,
    what: "What the database refuses of a commit of one statement is that statement, as in any flush: `rollback` has to be called.",
    why: "A commit whose whole work is one statement goes without BEGIN and COMMIT (design.md §4, Transactions), so there is no COMMIT to be refused.",
    instead: {
      steps: { 3: { in_transaction: true, active: false, nested: false }, 5: ourError("FailedTransactionError") },
      trace: { 2: ["INSERT log@b"], 5: [] },
    },
  },
  {
    ids: /^routing-concrete-child-other-bind-flush$/,
    what: "The row of a concrete child goes to the child's own bind.",
    why: "A concrete child has a table of its own, which decides; the original flushes it to its parent's engine, where there is no such table.",
    instead: { steps: { 2: null }, chosen: { 2: ["b"] }, trace: { 2: ["BEGIN@b", "INSERT duck@b"] } },
  },
  {
    ids: /^routing-core-execute$/,
    what: "An engine's own Kysely refuses a table object of another bind, before anything is sent.",
    why: "A table belongs to its bind (design.md §4, Routing); the original sends the statement, which fails only because no table of that name happens to be there.",
    instead: { steps: { 1: ourError("CrossBindError") }, trace: { 1: [] } },
  },
  {
    ids: /^session-set-equal$/,
    what: "An object that was set to what it had is not listed as dirty.",
    why: "Dirty checking compares with the loaded values (design.md §4, Session).",
    instead: { steps: { 2: { new: [], dirty: [], deleted: [] } } },
  },
  {
    ids: /^session-set-unloaded$/,
    what: "Setting a stale property to the value that it has sends nothing.",
    why: "The value is compared with the one that was loaded; nothing is ever unloaded, so there is always one to compare with.",
    instead: { trace: { 3: [] } },
  },
  {
    ids: /^session-autoflush-error$/,
    what: "A query on one bind does not meet the error of another bind's pending object.",
    why: "Autoflush stores what is pending on the bind that the statement runs on (design.md §4, Session), so nothing is sent to the bind that would refuse it.",
    instead: {
      steps: { 2: [{ obj: "User(1)" }], 3: [{ obj: "User(1)" }] },
      trace: { 2: ["SELECT user@<default>"], 3: ["SELECT user@<default>"] },
    },
  },
  {
    ids: /^session-context-exit$/,
    what: "An object that was changed in a context has its committed value again when the context is left.",
    why: "Leaving a context is a rollback, and a rollback gives objects back what was last loaded or committed (design.md §4, Session).",
    instead: { steps: { 7: "p1" } },
  },
  {
    ids: /^extras-track-off$/,
    what: "Listeners are told of every commit.",
    why: "Whoever listens wants to be told; there is no setting that turns it on.",
    instead: { steps: { 4: [[["p", "insert"]]] } },
  },
  {
    ids: /^extras-track-switched-off-later$/,
    what: "Listeners are told of every commit.",
    why: "Whoever listens wants to be told; there is no setting that turns it off. A listener is taken away by the function that `on` returns.",
    instead: { steps: { 5: [[["p", "insert"]]] } },
  },
  {
    ids: /^extras-track-equal-value$/,
    what: "An object that was set to what it had was not changed, and is not announced.",
    why: "Dirty checking compares with the loaded values.",
    instead: { steps: { 4: [] } },
  },
  {
    ids: /^extras-track-savepoint$/,
    what: "What was stored before a savepoint is announced when it is committed, though the savepoint was rolled back.",
    why: "It was committed; the original forgets it with the savepoint.",
    instead: { steps: { 10: [[["p", "insert"]]] } },
  },
  {
    ids: /^extras-first-or-404-null-column$/,
    what: "The first row is there, though its column is null.",
    why: "A row is an object with the columns that were selected; the original looks at the first column's value alone, and for `one_or_404` it does not.",
    instead: { steps: { 0: null } },
  },
  {
    ids: /^session-bulk-delete-sync$/,
    what: "A deletion of rows by a condition leaves loaded objects persistent, and stale, until one is asked for.",
    why: "Nothing is known of single objects until the database is asked; the next `get` gives null and lets go of the object.",
    instead: { steps: { 2: { p: "persistent" } } },
  },
  {
    ids: /^pagination-request-odd-numbers$/,
    what: 'A page of the number "1_0" is not there.',
    why: "The underscore in numbers is Python's own way of writing them.",
    instead: { steps: { 3: { http_error: 404, description: null } }, trace: { 3: [] } },
  },
  {
    ids: /^twophase-sqlite-query$/,
    what: "SQLite can be read under the policy of two-phase commits.",
    why: "A read holds nothing, so nothing of it is to be prepared.",
    instead: { steps: { 0: [] }, trace: { 0: ["SELECT user@<default>"] } },
  },
  {
    ids: /^twophase-after-prepare-fails$/,
    what: "A bind that cannot be told to commit what is prepared is told again over another connection.",
    why: "By then the decision bind has committed, so all is decided; the original leaves the transaction prepared for ever (design.md §7, Two-phase).",
    instead: {
      steps: { 5: null, 6: 0, 8: 0, 10: [[0, "y"]] },
      trace: { 5: ["COMMIT@a", "PREPARE@b", "COMMIT PREPARED@b"] },
    },
  },
  {
    ids: /^twophase-after-prepare-fails-state$/,
    what: "A bind that wrote alone is committed plainly.",
    why: "There is nobody to agree with, so nothing is prepared and nothing can be left behind; the failure that the case prepares is never met.",
    instead: {
      steps: {
        4: null,
        5: { in_transaction: false, nested: false, active: true },
        6: [{ obj: "l" }],
        8: { in_transaction: false, nested: false, active: true },
        9: { l: "persistent" },
        10: 0,
        11: [[0, "y"]],
      },
      trace: { 6: ["SELECT log@b"] },
    },
  },
  {
    ids: /^twophase-after-prepare-fails-context-exit$/,
    what: "A bind that wrote alone is committed plainly.",
    why: "There is nobody to agree with, so nothing is prepared and nothing can be left behind; the failure that the case prepares is never met.",
    instead: { steps: { 4: null, 6: 0, 7: [[1, "y"]] } },
  },
];

/** The entry for a case, if there is one. */
export function differenceOf(id: string): Difference | undefined {
  return knownDifferences.find(({ ids }) => ids.test(id));
}
