import { AliasNode, AndNode, IdentifierNode, LimitNode, ParensNode, SelectionNode, ValueNode, WhereNode } from "kysely";
import { InvalidValueError } from "../../errors/value.ts";
import { pageNumbers } from "../select/pagination.ts";
import { bindOf, type SelectParts, statementOf } from "../select/select-parts.ts";
import { READ_OPTIONS, type ReadOptions, type RunSelect, type SelectRunner } from "../select/select-runner.ts";
import { cursorOf, valuesOfCursor } from "./cursor.ts";
import { beyond } from "./keyset-condition.ts";
import { type KeysetColumn, keysetOrder, orderNode } from "./keyset-order.ts";

/** Which rows are asked for, by their places. */
export interface KeysetOptions extends ReadOptions {
  /** The cursor to start after, as `next` of a previous page. Defaults to the beginning. */
  readonly after?: string | null | undefined;
  /** The cursor before which the rows come, as `previous` of a page behind. */
  readonly before?: string | null | undefined;
  /** Maximum number of items. Defaults to 20. May be text, as it comes with a request. */
  readonly perPage?: number | string | null | undefined;
  /** Upper bound of `perPage`. Defaults to 100. */
  readonly maxPerPage?: number | undefined;
}

export const KEYSET_OPTIONS: readonly (keyof KeysetOptions)[] = [
  ...READ_OPTIONS,
  "after",
  "before",
  "perPage",
  "maxPerPage",
];

/** Some rows in their order, and the cursors that lead on from them. */
export class KeysetPage<E> implements Iterable<E> {
  readonly items: readonly E[];
  /** The cursor for the rows after these; null if these are the last. */
  readonly next: string | null;
  /** The cursor for the rows before these; null if these are the first. */
  readonly previous: string | null;

  /** @internal use `select(…).keyset()` */
  constructor(items: readonly E[], next: string | null, previous: string | null) {
    this.items = items;
    this.next = next;
    this.previous = previous;
  }

  /** The items. */
  [Symbol.iterator](): Iterator<E> {
    return this.items[Symbol.iterator]();
  }
}

/** Reads the rows behind or before a place. */
export async function readKeyset(
  parts: SelectParts,
  runner: SelectRunner,
  options: KeysetOptions,
): Promise<KeysetPage<unknown>> {
  const { after = null, before = null, perPage, maxPerPage } = options;
  if (after !== null && before !== null)
    throw new InvalidValueError("keyset() reads what comes after a cursor or before one, not both.", bindOf(parts));
  const { perPage: most } = pageNumbers({ perPage, maxPerPage });
  const statement = statementOf(parts);
  const columns = keysetOrder(parts, statement.node);
  const cursor = after ?? before;
  const backwards = before !== null;
  const nullsComeFirst = runner.nullsComeFirst(bindOf(parts).bindKey);
  const place = cursor === null ? undefined : { values: valuesOfCursor(columns, cursor), backwards, nullsComeFirst };
  const select = {
    node: {
      ...statement.node,
      selections: [...(statement.node.selections ?? []), ...columns.map(selectionOf)],
      ...(place === undefined ? {} : { where: whereNode(statement.node.where, beyond(columns, place)) }),
      orderBy: orderNode(columns, backwards),
      limit: LimitNode.create(ValueNode.createImmediate(most + 1)),
    },
    result: statement.result,
  } satisfies RunSelect;
  const rows = await runner.readWith(columns.map(nameOf), select, options);
  const hasMore = rows.length > most;
  const page = rows.slice(0, most);
  if (backwards) page.reverse();
  const at = (row: (typeof page)[0] | undefined) => (row === undefined ? null : cursorOf(columns, row.values));
  return new KeysetPage(
    page.map(({ item }) => item),
    backwards || hasMore ? at(page.at(-1)) : null,
    (backwards ? hasMore : after !== null) ? at(page[0]) : null,
  );
}

/** The name of a column that is read beside the rest of a row, for cursors. */
function nameOf(_: KeysetColumn, index: number): string {
  return `keyset:${index}`;
}

function selectionOf(column: KeysetColumn, index: number): SelectionNode {
  return SelectionNode.create(AliasNode.create(column.reference, IdentifierNode.create(nameOf(column, index))));
}

function whereNode(where: WhereNode | undefined, condition: ReturnType<typeof beyond>): WhereNode {
  const own = ParensNode.create(condition);
  return WhereNode.create(where === undefined ? own : AndNode.create(ParensNode.create(where.where), own));
}
