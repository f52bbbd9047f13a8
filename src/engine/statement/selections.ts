import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type QueryNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  TableNode,
} from "kysely";
import type { ColumnConverter } from "../values/column-converter.ts";
import { translateTo, translateWritten } from "./calculations.ts";
import { requireKnown } from "./known-columns.ts";
import type { Relation } from "./relation.ts";
import type { Scope } from "./scope.ts";
import type { CommonKind } from "./stored-kind.ts";
import type { Translator } from "./translator.ts";

/** Context of a list of selections beyond its query. */
export interface SelectionOptions {
  /** Spells out stars though no column behind them is renamed: a query beside this one does, and they must match. */
  readonly spellsOut?: boolean;
  /** The columns that the selections are written to, in order. */
  readonly opposites?: readonly (ColumnConverter | undefined)[];
  /** What numbers among the selections are brought to, in order. */
  readonly numbers?: readonly (CommonKind | undefined)[];
}

/** Translates the selections of a query. Their names in the result stay; stars are spelled out where columns are renamed. */
export function translateSelections(
  translator: Translator,
  query: QueryNode,
  selections: readonly SelectionNode[],
  scope: Scope,
  { spellsOut = false, opposites = [], numbers = [] }: SelectionOptions = {},
): readonly SelectionNode[] {
  const translated: SelectionNode[] = [];
  let isChanged = false;
  let isPositional = true;
  for (const [index, node] of selections.entries()) {
    const { selection } = node;
    const starred = translator.resolver.starredBy(selection, query, scope);
    if (starred === undefined) {
      const one = isPositional
        ? translateSelection(translator, node, scope, opposites[index], numbers[index])
        : translateSelection(translator, node, scope, undefined, undefined);
      isChanged ||= one !== node;
      translated.push(one);
      continue;
    }
    isPositional = false;
    if (starred.length === 0 && ReferenceNode.is(selection))
      requireKnown(translator.engine, scope, selection, undefined);
    const isSpelledOut = spellsOut || starred.some(({ isRenamed }) => isRenamed);
    const columns = isSpelledOut ? spelledOut(starred, starred.length > 1 || ReferenceNode.is(selection)) : undefined;
    isChanged ||= columns !== undefined;
    translated.push(...(columns ?? [node]));
  }
  return isChanged ? Object.freeze(translated) : selections;
}

/** Whether a selection is sent as a star. */
export function isStar({ selection }: SelectionNode): boolean {
  return SelectAllNode.is(selection) || (ReferenceNode.is(selection) && SelectAllNode.is(selection.column));
}

function translateSelection(
  translator: Translator,
  node: SelectionNode,
  scope: Scope,
  opposite: ColumnConverter | undefined,
  number: CommonKind | undefined,
): SelectionNode {
  const { selection } = node;
  if (translator.engine.family.decimals !== undefined && (opposite !== undefined || number !== undefined)) {
    const [expression, alias] = AliasNode.is(selection) ? [selection.node, selection.alias] : [selection, undefined];
    const value =
      opposite === undefined
        ? translateTo(translator, expression, scope, number!)
        : translateWritten(translator, expression, scope, opposite);
    if (alias !== undefined) return SelectionNode.create(AliasNode.create(value, alias));
    if (value !== expression && !ReferenceNode.is(expression)) return SelectionNode.create(value as typeof selection);
    if (value !== expression && ReferenceNode.is(expression) && ColumnNode.is(expression.column)) {
      const { name } = expression.column.column;
      return SelectionNode.create(AliasNode.create(value, IdentifierNode.create(name)));
    }
    return node;
  }
  const translated = translator.translate(node, scope, opposite);
  if (translated === node || !ReferenceNode.is(selection) || !ColumnNode.is(selection.column)) return translated;
  return SelectionNode.create(
    AliasNode.create(translated.selection, IdentifierNode.create(selection.column.column.name)),
  );
}

/** The columns that a star means; nothing where neither they nor the name of their relation are known. */
function spelledOut(relations: readonly Relation[], isQualified: boolean): readonly SelectionNode[] | undefined {
  const selections: SelectionNode[] = [];
  for (const relation of relations) {
    const { name } = relation;
    const table = name === undefined ? undefined : TableNode.create(name);
    const columns = namesOf(relation);
    if (columns !== undefined) {
      selections.push(...columns.map((column) => columnSelection(relation, column, isQualified ? table : undefined)));
    } else if (table !== undefined) {
      selections.push(SelectionNode.createSelectAllFromTable(table));
    } else {
      return undefined;
    }
  }
  return selections;
}

/** All names by which the columns of a relation can be used. */
function namesOf({ columns, isComplete }: Relation): readonly string[] | undefined {
  const names = new Set(columns.map(({ name }) => name));
  if (!isComplete || names.size < columns.length || names.has(undefined)) return undefined;
  return [...names].filter((name) => name !== undefined);
}

function columnSelection(relation: Relation, column: string, table: TableNode | undefined): SelectionNode {
  const name = relation.databaseName(column);
  const node = ColumnNode.create(name);
  const reference = table === undefined ? ReferenceNode.create(node) : ReferenceNode.create(node, table);
  return SelectionNode.create(name === column ? reference : AliasNode.create(reference, IdentifierNode.create(column)));
}
