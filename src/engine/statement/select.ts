import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  type OrderByNode,
  ReferenceNode,
  SelectModifierNode,
  SelectQueryNode,
  type SetOperationNode,
} from "kysely";
import { isWait } from "./lock-modifiers.ts";
import { mapList, mapNode } from "./nodes.ts";
import { translatePart } from "./query-parts.ts";
import { QueryRelation } from "./relation.ts";
import { Scope } from "./scope.ts";
import { type SelectionOptions, translateSelections } from "./selections.ts";
import type { Translator } from "./translator.ts";

/** Translates a select; `scope` is the one inside it. */
export function translateSelect(
  translator: Translator,
  node: SelectQueryNode,
  scope: Scope,
  options: SelectionOptions = {},
): SelectQueryNode {
  translator.requireFeatures(node);
  const spellsOut =
    options.spellsOut === true || (node.setOperations !== undefined && hasRenamedStar(translator, node, scope));
  const numbers = options.numbers ?? translator.resolver.unitedKinds(node, scope);
  const each: SelectionOptions = { ...options, spellsOut, ...(numbers === undefined ? {} : { numbers }) };
  return mapNode(node, (value, property) => {
    switch (property) {
      case "selections":
        return translateSelections(translator, node, node.selections!, scope, each);
      case "setOperations":
        return mapList(node.setOperations!, (one) => translateSetOperation(translator, one, scope.outer!, each));
      case "orderBy":
        return translateOrderBy(translator, node, node.orderBy!, scope);
      case "endModifiers":
        return translateModifiers(translator, node.endModifiers!, scope);
      default:
        return translatePart(translator, node, scope, value, property);
    }
  });
}

function translateModifiers(translator: Translator, modifiers: readonly SelectModifierNode[], scope: Scope) {
  const { shareLock } = translator.engine.family;
  return mapList(modifiers, (one) =>
    // The other words take no `skip locked` or `nowait`, nor tables.
    one.modifier === "ForShare" && shareLock !== undefined && one.of === undefined && !modifiers.some(isWait)
      ? SelectModifierNode.createWithExpression(shareLock)
      : translator.translate(one, scope),
  );
}

function translateSetOperation(
  translator: Translator,
  node: SetOperationNode,
  outer: Scope,
  options: SelectionOptions,
): SetOperationNode {
  return mapNode(node, (value, property) => {
    if (property !== "expression") return value;
    const { expression } = node;
    if (!SelectQueryNode.is(expression)) return translator.translate(expression, outer);
    return translateSelect(translator, expression, translator.resolver.open(expression, outer), options);
  });
}

/** Whether one of the queries of a set operation has a star that must be spelled out; then all must be. */
function hasRenamedStar({ resolver }: Translator, node: SelectQueryNode, scope: Scope): boolean {
  const renames = (query: SelectQueryNode, inside: Scope) =>
    (query.selections ?? []).some(({ selection }) =>
      resolver.starredBy(selection, query, inside)?.some(({ isRenamed }) => isRenamed),
    );
  const others = node.setOperations!.map(({ expression }) => expression).filter(SelectQueryNode.is);
  return renames(node, scope) || others.some((query) => renames(query, resolver.open(query, scope.outer!)));
}

/** A name alone in `order by` means a selection of that name before it means a column; after a set operation, nothing else. */
function translateOrderBy(
  translator: Translator,
  query: SelectQueryNode,
  node: OrderByNode,
  scope: Scope,
): OrderByNode {
  if (query.setOperations !== undefined) {
    const result = new Scope(scope.outer);
    result.relations.push(new QueryRelation(undefined, translator.resolver.outputs(query, scope)));
    return translator.translate(node, result);
  }
  const items = mapList(node.items, (item) =>
    isAlias(query, item.orderBy) ? item : translator.translate(item, scope),
  );
  return items === node.items ? node : Object.freeze({ ...node, items });
}

function isAlias({ selections = [] }: SelectQueryNode, node: OperationNode): boolean {
  if (!ReferenceNode.is(node) || node.table !== undefined || !ColumnNode.is(node.column)) return false;
  const { name } = node.column.column;
  return selections.some(
    ({ selection }) => AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === name,
  );
}
