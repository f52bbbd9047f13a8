import {
  type InsertQueryNode,
  type MergeQueryNode,
  type OnConflictNode,
  type OperationNode,
  type QueryNode,
  SelectQueryNode,
  type UpdateQueryNode,
  type WhenNode,
} from "kysely";
import { translateAssignments } from "./assignments.ts";
import { translateInsertedRows } from "./inserted-rows.ts";
import { requireColumn } from "./known-columns.ts";
import { mapList, mapNode } from "./nodes.ts";
import { translatePart } from "./query-parts.ts";
import { databaseColumn, type Relation } from "./relation.ts";
import { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import { insertsOneRow, updatesOneRow } from "./shared-values.ts";
import type { Translator } from "./translator.ts";
import { requireWholeWrite } from "./whole-write.ts";

/** Translates a query of whatever kind; `scope` is the one inside it. */
export function translateQuery(translator: Translator, node: QueryNode, scope: Scope): QueryNode {
  if (node.kind === "SelectQueryNode") return translateSelect(translator, node, scope);
  translator.requireFeatures(node);
  requireWholeWrite(node, translator.engine.bindKey);
  switch (node.kind) {
    case "InsertQueryNode": {
      const insert = translateInsert(translator, node, scope);
      return translator.engine.family.withBehindInsert === true ? withBehindInsert(insert) : insert;
    }
    case "UpdateQueryNode":
      return translateUpdate(translator, node, scope);
    case "DeleteQueryNode":
      return mapNode(node, (value, property) => translatePart(translator, node, scope, value, property));
    case "MergeQueryNode":
      return translateMerge(translator, node, scope);
  }
}

function translateInsert(translator: Translator, node: InsertQueryNode, scope: Scope): InsertQueryNode {
  const target = scope.relations[0];
  const filled = translateInsertedRows(translator, node, target, scope.outer!);
  return mapNode(filled, (value, property) => {
    switch (property) {
      case "columns":
      case "values":
        return value;
      case "onConflict":
        return translateOnConflict(translator, node.onConflict!, target, scope, insertsOneRow(node));
      case "onDuplicateKey": {
        const { onDuplicateKey } = node;
        return mapNode(onDuplicateKey!, (part, name) =>
          name === "updates"
            ? translateAssignments(translator, onDuplicateKey!.updates, scope, [target], insertsOneRow(node))
            : part,
        );
      }
      default:
        return translatePart(translator, node, scope, value, property);
    }
  });
}

/** Moves common table expressions to the select whose rows are inserted. */
function withBehindInsert(node: InsertQueryNode): InsertQueryNode {
  const { with: expressions, values, ...others } = node;
  if (expressions === undefined || values === undefined || !SelectQueryNode.is(values)) return node;
  if (values.with !== undefined) return node;
  return Object.freeze({ ...others, values: Object.freeze({ ...values, with: expressions }) });
}

function translateOnConflict(
  translator: Translator,
  node: OnConflictNode,
  target: Relation | undefined,
  scope: Scope,
  isOneRow: boolean,
): OnConflictNode {
  // Every column of "excluded" is one of the table too: further out, it is never found without its name.
  const outside = new Scope(scope.outer);
  const inside = new Scope(outside);
  if (target !== undefined) {
    outside.relations.push(target.as("excluded"));
    inside.relations.push(target);
  }
  return mapNode(node, (value, property) => {
    switch (property) {
      case "columns":
        return mapList(node.columns!, (column) => {
          requireColumn(translator.engine, target, column.column.name);
          return databaseColumn(column, target);
        });
      case "updates":
        return translateAssignments(translator, node.updates!, inside, [target], isOneRow);
      default:
        return translator.translateProperty(value, inside);
    }
  });
}

function translateUpdate(translator: Translator, node: UpdateQueryNode, scope: Scope): UpdateQueryNode {
  // Several tables at once, as MySQL updates them, come as a list.
  const targets = scope.relations.slice(0, node.table?.kind === "ListNode" ? undefined : 1);
  return mapNode(node, (value, property) =>
    property === "updates"
      ? translateAssignments(
          translator,
          node.updates!,
          scope,
          targets,
          targets.length === 1 && updatesOneRow(node, targets[0]),
        )
      : translatePart(translator, node, scope, value, property),
  );
}

function translateMerge(translator: Translator, node: MergeQueryNode, scope: Scope): MergeQueryNode {
  const target = scope.relations[0];
  const translateResult = (result: OperationNode): OperationNode => {
    // The kinds say so; neither of them names the table again.
    if (result.kind === "InsertQueryNode")
      return translateInsertedRows(translator, result as InsertQueryNode, target, scope, false);
    if (result.kind !== "UpdateQueryNode") return translator.translate(result, scope);
    const update = result as UpdateQueryNode;
    return mapNode(update, (value, property) =>
      property === "updates" ? translateAssignments(translator, update.updates!, scope, [target], false) : value,
    );
  };
  const translateWhen = (when: WhenNode): WhenNode =>
    mapNode(when, (value, property) =>
      property === "result" ? translateResult(when.result!) : translator.translateProperty(value, scope),
    );
  return mapNode(node, (value, property) =>
    property === "whens"
      ? mapList(node.whens!, translateWhen)
      : translatePart(translator, node, scope, value, property),
  );
}
