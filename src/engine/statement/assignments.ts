import { ColumnNode, ColumnUpdateNode, type OperationNode, ReferenceNode, TableNode, ValueNode } from "kysely";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ColumnConverter } from "../values/column-converter.ts";
import { translateWritten } from "./calculations.ts";
import { requireColumn, requireKnown } from "./known-columns.ts";
import { databaseColumn, type Relation } from "./relation.ts";
import type { Scope } from "./scope.ts";
import { requireSharable } from "./shared-values.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates what is set, and adds the columns that get a value with every update.
 *
 * @param targets what is updated; one of them may not be known
 * @param isOneRow whether at most one row of each is updated
 * @throws {UnsupportedError} if rows would share what a function makes for one of them
 */
export function translateAssignments(
  translator: Translator,
  updates: readonly ColumnUpdateNode[],
  scope: Scope,
  targets: readonly (Relation | undefined)[],
  isOneRow: boolean,
): readonly ColumnUpdateNode[] {
  const only = targets.length === 1 ? targets[0] : undefined;
  const changing = new Set<Relation | undefined>();
  const set = new Set<TableColumn>();
  const assignments: ColumnUpdateNode[] = [];
  let isChanged = false;
  for (const update of updates) {
    const { node, relation, converter } = assigned(translator, update.column, scope, only);
    const value = translateWritten(translator, update.value, scope, converter);
    const isSame = node === update.column && value === update.value;
    assignments.push(isSame ? update : ColumnUpdateNode.create(node, value));
    isChanged ||= !isSame;
    changing.add(relation);
    if (converter !== undefined) set.add(converter.column);
  }
  for (const relation of changing) {
    for (const column of relation?.table?.columnList ?? []) {
      const { onUpdate } = column.definition;
      if (onUpdate === undefined || set.has(column)) continue;
      if (!isOneRow) requireSharable(translator.engine, column, onUpdate, "updates");
      assignments.push(forced(translator, column, only === undefined ? relation!.name : undefined));
      isChanged = true;
    }
  }
  return isChanged ? Object.freeze(assignments) : updates;
}

interface Assigned {
  /** The column under its name in the database. */
  readonly node: OperationNode;
  readonly relation: Relation | undefined;
  readonly converter: ColumnConverter | undefined;
}

function assigned(translator: Translator, node: OperationNode, scope: Scope, only: Relation | undefined): Assigned {
  const reference = ColumnNode.is(node) ? ReferenceNode.create(node) : node;
  if (!ReferenceNode.is(reference) || !ColumnNode.is(reference.column)) {
    return {
      node: translator.translate(node, scope),
      relation: only,
      converter: translator.resolver.converter(node, scope),
    };
  }
  const { column, table } = reference;
  // A column alone is one of the table that is updated, whatever others the statement names.
  const relation = table === undefined && only !== undefined ? only : scope.relationOf(reference);
  if (relation === undefined) requireKnown(translator.engine, scope, reference, undefined);
  else requireColumn(translator.engine, relation, column.column.name);
  const named = databaseColumn(column, relation);
  return {
    node: named === column ? node : ColumnNode.is(node) ? named : Object.freeze({ ...reference, column: named }),
    relation,
    converter: relation?.converter(column.column.name),
  };
}

/** The assignment of a column that gets a value with every update of its row. */
function forced(translator: Translator, column: TableColumn, table: string | undefined): ColumnUpdateNode {
  const value = ValueNode.create(translator.made(column, column.definition.onUpdate!));
  const node = ColumnNode.create(column.name);
  return ColumnUpdateNode.create(
    table === undefined ? node : ReferenceNode.create(node, TableNode.create(table)),
    value,
  );
}
