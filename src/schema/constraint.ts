import type { Expression } from "kysely";
import { requireKnownOptions } from "../known-options.ts";
import { type ReferenceOptions, requireReferenceOptions } from "./reference-options.ts";

/** Allows each combination of values once. */
export interface UniqueConstraint<P extends string = string> {
  readonly kind: "unique";
  readonly columns: readonly P[];
  readonly name?: string;
}

/** An index over columns. */
export interface Index<P extends string = string> {
  readonly kind: "index";
  readonly columns: readonly P[];
  readonly unique: boolean;
  readonly name?: string;
}

/** A condition that every row fulfils. */
export interface CheckConstraint {
  readonly kind: "check";
  readonly expression: Expression<unknown>;
  readonly name?: string;
}

/** A reference of several columns to a table of the same bind. */
export interface ForeignKeyConstraint<P extends string = string> extends ReferenceOptions {
  readonly kind: "foreignKey";
  readonly columns: readonly P[];
  /** The table referred to, with its schema in front where it has one. */
  readonly table: string;
  readonly references: readonly string[];
}

/** What may stand in the `constraints` of a table or model. */
export type Constraint<P extends string = string> =
  | UniqueConstraint<P>
  | Index<P>
  | CheckConstraint
  | ForeignKeyConstraint<P>;

type Named = { readonly name?: string };

/**
 * Allows each combination of values of these columns once in the table.
 *
 * @example
 * db.table("seat", { row: integer(), number: integer() }, { constraints: [unique(["row", "number"])] })
 *
 * @see SQLAlchemy: `UniqueConstraint`
 */
export function unique<const P extends string>(columns: readonly P[], options: Named = {}): UniqueConstraint<P> {
  requireKnownOptions(options, ["name"], "unique()");
  return Object.freeze({ kind: "unique", columns, ...options });
}

/**
 * Makes an index over these columns.
 *
 * @see SQLAlchemy: `Index`
 */
export function index<const P extends string>(
  columns: readonly P[],
  options: Named & { readonly unique?: boolean } = {},
): Index<P> {
  requireKnownOptions(options, ["name", "unique"], "index()");
  return Object.freeze({ kind: "index", columns, unique: false, ...options });
}

/**
 * A condition that the database checks on every row, for conditions over several columns.
 *
 * @example
 * check(sql`starts < ends`, { name: "starts_before_end" })
 *
 * @see SQLAlchemy: `CheckConstraint`
 */
export function check(expression: Expression<unknown>, options: Named = {}): CheckConstraint {
  requireKnownOptions(options, ["name"], "check()");
  return Object.freeze({ kind: "check", expression, ...options });
}

/**
 * A reference of several columns to a table of the same bind. For one column use `references` on the column.
 *
 * @param table the table referred to, with its schema in front where it has one
 * @param references the columns there, in the order of `columns`
 *
 * @example
 * foreignKey(["userId", "groupId"], "member", ["userId", "groupId"], { onDelete: "cascade" })
 *
 * @see SQLAlchemy: `ForeignKeyConstraint`
 */
export function foreignKey<const P extends string>(
  columns: readonly P[],
  table: string,
  references: readonly string[],
  options: ReferenceOptions = {},
): ForeignKeyConstraint<P> {
  requireReferenceOptions(options);
  return Object.freeze({ kind: "foreignKey", columns, table, references, ...options });
}
