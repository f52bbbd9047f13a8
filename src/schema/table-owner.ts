import type { BindKey } from "../bind-key.ts";
import { OtherMultibindError } from "../errors/routing.ts";
import { requireThisCopy } from "./package-copy.ts";
import type { TableOwner } from "./table-column.ts";

/** A table, as far as its owner is concerned. */
export interface OwnedTable {
  readonly owner: TableOwner;
  readonly fullName: string;
  readonly bindKey: BindKey;
}

/**
 * Refuses a table that was defined with another `Multibind` object: the same bind key means another database there.
 *
 * @throws {OtherMultibindError}
 * @throws {DuplicatePackageError} if it was even made by another copy of this package
 */
export function requireOwner(table: OwnedTable, expected: TableOwner): void {
  const { owner, fullName, bindKey } = table;
  if (owner === expected) return;
  requireThisCopy(table, `table "${fullName}"`);
  throw new OtherMultibindError(fullName, bindKey, owner.label, expected.label);
}
