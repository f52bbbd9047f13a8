import { type BindKey, bindLabel } from "../bind-key.ts";
import { nearestName } from "../nearest-name.ts";
import { nameList, quotedName } from "./name-list.ts";
import { InvalidValueError } from "./value.ts";

/** Something that has columns: a table, a model, or a subquery with a name. */
export interface ColumnOwner {
  /** Its name in the statement; of a model, its table's. */
  readonly name: string;
  /** The names of its columns as the application writes them. */
  readonly columns: readonly string[];
}

/** Where an unknown name was used. */
export interface UnknownColumnPlace {
  readonly bindKey: BindKey;
  readonly column: string;
  /** Everything that could have had the column; one at least. */
  readonly owners: readonly ColumnOwner[];
}

/**
 * A name belongs to no column of the model or table. Thrown before anything is sent. Unlike for a value, `status` is not set:
 * check names that come from a request against a list of your own.
 *
 * @see SQLAlchemy: `AttributeError`, `InvalidRequestError`
 */
export class UnknownColumnError extends InvalidValueError {
  override readonly code = "UNKNOWN_COLUMN";

  constructor({ bindKey, column, owners }: UnknownColumnPlace) {
    super(messageOf(column, owners, bindKey), {
      bindKey,
      column,
      table: owners.length === 1 ? owners[0]!.name : undefined,
    });
  }
}

function messageOf(column: string, owners: readonly ColumnOwner[], bindKey: BindKey): string {
  const names = owners.map(({ name }) => quotedName(name));
  const [only] = owners;
  const subject =
    owners.length === 1
      ? `${names[0]} (${bindLabel(bindKey)}) has no column ${quotedName(column)}.`
      : `None of ${nameList(names)} (${bindLabel(bindKey)}) has a column ${quotedName(column)}.`;
  const columns =
    owners.length === 1 ? only!.columns : owners.flatMap(({ name, columns }) => columns.map((one) => `${name}.${one}`));
  const meant = meantBy(column, owners);
  const hint = meant === undefined ? "" : ` Did you mean "${meant}"?`;
  return `${subject}${hint} Columns: ${nameList(columns.map((one) => `"${one}"`))}.`;
}

/** The nearest name, with that of its owner in front where there are several. */
function meantBy(column: string, owners: readonly ColumnOwner[]): string | undefined {
  const qualified = new Map<string, string>();
  for (const { name, columns } of owners)
    for (const one of columns)
      if (!qualified.has(one)) qualified.set(one, owners.length === 1 ? one : `${name}.${one}`);
  const nearest = nearestName(column, qualified.keys());
  return nearest === undefined ? undefined : qualified.get(nearest);
}
