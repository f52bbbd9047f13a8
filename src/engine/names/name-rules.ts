import type { ConstraintKind } from "../../schema/constraint-names.ts";

/**
 * Which names a family of databases keeps as they are. A rule returns why it does not, as a clause that begins with "it",
 * or `undefined` for a name that is kept.
 */
export interface NameRules {
  /** The rule for every name in a statement. */
  refusal(name: string): string | undefined;
  /** The stricter rule for names that are stored: tables, columns, constraints, indexes. Absent if it is the same. */
  storedRefusal?(name: string): string | undefined;
  /** The stricter rule for aliases of columns. Absent if it is the same. */
  aliasRefusal?(name: string): string | undefined;
  /** Whether names that differ only in case are the same: those of tables depend on the server on some databases. */
  readonly ignoresCase: { readonly columns: boolean; readonly tables: boolean };
  /** Where each kind of constraint needs a name of its own. */
  readonly namespaces: Readonly<Record<ConstraintKind | "table", readonly Namespace[]>>;
}

/** Why a name that is stored, such as a table's, is not kept as it is. */
export function storedNameRefusal(names: NameRules, name: string): string | undefined {
  return names.refusal(name) ?? names.storedRefusal?.(name);
}

/** Names that must all be different. */
export interface Namespace {
  /** The kind of names, apart from those that others share. */
  readonly of: string;
  readonly within: "table" | "schema";
}
