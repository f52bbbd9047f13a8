import {
  type AggregateFunctionNode,
  AliasNode,
  type BinaryOperationNode,
  type CastNode,
  type CommonTableExpressionNode,
  DataTypeNode,
  type DeleteQueryNode,
  type FunctionNode,
  type InsertQueryNode,
  type JoinNode,
  type JSONReferenceNode,
  ListNode,
  type OperationNode,
  OperatorNode,
  type OrderByItemNode,
  ParensNode,
  QueryNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  type SelectModifierNode,
  type SelectQueryNode,
  type UpdateQueryNode,
} from "kysely";
import type { Feature } from "./feature.ts";
import { isLock, isWait } from "./lock-modifiers.ts";

/** Kinds of node, other than queries, of which some databases lack something. */
export const FEATURED: ReadonlySet<string> = new Set<OperationNode["kind"]>([
  "JoinNode",
  "AggregateFunctionNode",
  "FunctionNode",
  "BinaryOperationNode",
  "OrderByItemNode",
  "CommonTableExpressionNode",
  "JSONReferenceNode",
  "CastNode",
]);

/** Operators and functions of a family. */
export interface KnownWords {
  /** Operators that have a feature of their own, or none at all. */
  readonly operators: ReadonlyMap<string, Feature>;
  /** Aggregate functions that take an order. */
  readonly orderedFunctions: RegExp;
  /** Types that `cast` does not take. */
  readonly refusedCasts?: RegExp;
}

const NONE: readonly Feature[] = Object.freeze([]);

/** Whether a feature is used, by its name. */
type Uses = Partial<Record<Feature, boolean>>;

/** The feature of a node that some databases lack. Nodes below it are not visited. */
export function featuresOf(node: OperationNode, { words }: { readonly words: KnownWords }): readonly Feature[] {
  // The kind tells which of them it is.
  switch (node.kind) {
    case "SelectQueryNode":
      return featuresOfSelect(node as SelectQueryNode);
    case "InsertQueryNode":
      return used(featuresOfInsert(node as InsertQueryNode));
    case "UpdateQueryNode":
      return used(featuresOfUpdate(node as UpdateQueryNode));
    case "DeleteQueryNode":
      return used(featuresOfDelete(node as DeleteQueryNode));
    case "MergeQueryNode":
      return used({ mergeInto: true, ...featuresOfWrite(node as QueryNode) });
    case "JoinNode":
      return featuresOfJoin(node as JoinNode);
    case "AggregateFunctionNode":
      return used(featuresOfAggregate(node as AggregateFunctionNode, words));
    case "FunctionNode":
      return featuresOfFunction(node as FunctionNode);
    case "BinaryOperationNode": {
      const { operator } = node as BinaryOperationNode;
      const feature = OperatorNode.is(operator) ? words.operators.get(operator.operator) : undefined;
      return feature === undefined ? NONE : [feature];
    }
    case "OrderByItemNode":
      return (node as OrderByItemNode).nulls === undefined ? NONE : ["nullsFirst and nullsLast"];
    case "CommonTableExpressionNode": {
      const { materialized, expression } = node as CommonTableExpressionNode;
      return used({
        "materialized and notMaterialized": materialized !== undefined,
        "a write in a common table expression": QueryNode.is(expression) && expression.kind !== "SelectQueryNode",
      });
    }
    case "JSONReferenceNode": {
      const { traversal } = node as JSONReferenceNode;
      return ["-> and ->>", traversal.kind === "JSONPathNode" ? "->$" : "-> with keys"];
    }
    case "CastNode": {
      const { dataType } = node as CastNode;
      const isRefused = DataTypeNode.is(dataType) && words.refusedCasts?.test(dataType.dataType) === true;
      return isRefused ? ["casts to this type"] : NONE;
    }
    default:
      return NONE;
  }
}

function used(uses: Uses): readonly Feature[] {
  // The keys of the type are features.
  return (Object.keys(uses) as Feature[]).filter((feature) => uses[feature] === true);
}

function featuresOfSelect(node: SelectQueryNode): readonly Feature[] {
  const { distinctOn, top, fetch, offset, limit, setOperations, orderBy, endModifiers, explain } = node;
  // Fast path: most selects have none of them.
  const isPlain =
    distinctOn === undefined && top === undefined && fetch === undefined && setOperations === undefined && !explain;
  if (isPlain && offset === undefined && orderBy === undefined && endModifiers === undefined) return NONE;
  return used({
    distinctOn: distinctOn !== undefined,
    top: top !== undefined,
    fetch: fetch !== undefined,
    "offset without limit": offset !== undefined && limit === undefined,
    intersectAll: setOperations?.some(({ operator, all }) => operator === "intersect" && all) === true,
    exceptAll: setOperations?.some(({ operator, all }) => operator === "except" && all) === true,
    "parentheses around a part of a union": setOperations?.some(({ expression }) => ParensNode.is(expression)) === true,
    "nullsFirst and nullsLast": orderBy?.items.some((item) => "nulls" in item && item.nulls !== undefined) === true,
    ...formatsOf(node),
    ...(endModifiers === undefined ? {} : featuresOfLocks(endModifiers)),
  });
}

function featuresOfLocks(modifiers: readonly SelectModifierNode[]): Uses {
  const has = (...wanted: readonly string[]) => modifiers.some(({ modifier }) => wanted.includes(modifier ?? ""));
  const locks = modifiers.some(({ modifier }) => isLock(modifier));
  const doesNotWait = modifiers.some(isWait);
  return {
    "skipLocked and noWait without a lock": doesNotWait && !locks,
    "row locks within a statement": locks,
    "locks of keys alone": has("ForNoKeyUpdate", "ForKeyShare"),
    "row locks of chosen tables": modifiers.some(({ of = [] }) => of.length > 0),
    "forShare with skipLocked or noWait": has("ForShare") && doesNotWait,
  };
}

function formatsOf(node: QueryNode): Uses {
  const explain = "explain" in node ? node.explain : undefined;
  const hasFormat = explain !== undefined && (explain.format !== undefined || explain.options !== undefined);
  return { "formats and options of explain": hasFormat };
}

function featuresOfWrite(node: QueryNode): Uses {
  return {
    top: "top" in node && node.top !== undefined,
    output: "output" in node && node.output !== undefined,
    ...formatsOf(node),
  };
}

function featuresOfInsert(node: InsertQueryNode): Uses {
  const { replace, onConflict, onDuplicateKey, orAction, defaultValues } = node;
  const { columns, constraint, indexExpression, updates } = onConflict ?? {};
  const hasTarget = columns !== undefined || constraint !== undefined || indexExpression !== undefined;
  return {
    ...featuresOfWrite(node),
    replaceInto: replace === true,
    onConflict: onConflict !== undefined,
    "onConflict by constraint": constraint !== undefined,
    "onConflict with an update and no columns": updates !== undefined && !hasTarget,
    onDuplicateKeyUpdate: onDuplicateKey !== undefined,
    "insert ignore": orAction?.action === "ignore",
    "insert or …": orAction !== undefined && orAction.action !== "ignore",
    defaultValues: defaultValues === true,
  };
}

function featuresOfUpdate(node: UpdateQueryNode): Uses {
  return {
    ...featuresOfWrite(node),
    "update … from": node.from !== undefined,
    "an update of several tables": node.table !== undefined && ListNode.is(node.table),
    "limit and orderBy of a write": node.limit !== undefined || node.orderBy !== undefined,
    "with before an update or delete": node.with !== undefined,
  };
}

function featuresOfDelete(node: DeleteQueryNode): Uses {
  const { froms } = node.from;
  return {
    ...featuresOfWrite(node),
    "delete … using": node.using !== undefined,
    "a delete from several tables": froms.length > 1,
    "a join in a delete": node.joins !== undefined && node.using === undefined,
    "an alias of the table to delete from": node.using === undefined && froms.some((from) => AliasNode.is(from)),
    "limit and orderBy of a write": node.limit !== undefined || node.orderBy !== undefined,
    "with before an update or delete": node.with !== undefined,
  };
}

function featuresOfJoin({ joinType }: JoinNode): readonly Feature[] {
  if (joinType === "FullJoin") return ["a full join"];
  if (joinType.startsWith("Lateral")) return ["a lateral join"];
  return joinType.endsWith("Apply") ? ["crossApply and outerApply"] : NONE;
}

function featuresOfAggregate(node: AggregateFunctionNode, words: KnownWords): Uses {
  const { func, aggregated, filter, orderBy, withinGroup } = node;
  const isOfTable = aggregated.some((one) => {
    const node = SelectionNode.is(one) ? one.selection : one;
    return ReferenceNode.is(node) && SelectAllNode.is(node.column);
  });
  return {
    filterWhere: filter !== undefined,
    "countAll of a table": func === "count" && isOfTable,
    "orderBy in this aggregate function": orderBy !== undefined && !words.orderedFunctions.test(func),
    withinGroup: withinGroup !== undefined,
    "fn.jsonAgg and fn.toJson": func === "json_agg",
  };
}

function featuresOfFunction({ func, arguments: given }: FunctionNode): readonly Feature[] {
  if (func === "to_json") return ["fn.jsonAgg and fn.toJson"];
  if (func !== "any") return NONE;
  return given.some((one) => QueryNode.is(one)) ? ["fn.any"] : ["fn.any", "fn.any of a list"];
}
