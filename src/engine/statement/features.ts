import { type BinaryOperationNode, type JoinNode, type OperationNode, OperatorNode, QueryNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { Engine } from "../engine.ts";

/** What can be said in Kysely's form, and what to say instead where a database lacks it. */
const INSTEAD = {
  mergeInto: "use onConflict, or on MySQL and MariaDB onDuplicateKeyUpdate",
  replaceInto: "use onConflict",
  onConflict: "use onDuplicateKeyUpdate, or ignore()",
  onDuplicateKeyUpdate: "use onConflict",
  "insert ignore": "use onConflict",
  "insert or …": "use onConflict, or ignore() where a conflict is to be passed over",
  distinctOn: "number the rows with a window, and take the first of each",
  filterWhere: "put a case into the function",
  "a full join": "unite a left join and a right join",
  "update … from": "name the tables in updateTable([…, …])",
  "delete … using": "use a subquery",
  ilike: "use like on lower(…)",
} as const;

/** Something that not every database can do. */
export type Feature = keyof typeof INSTEAD;

/**
 * Refuses what a database cannot do before it is sent.
 *
 * @throws {UnsupportedError}
 */
export function requireFeatures({ family, bindKey }: Engine, node: OperationNode): void {
  for (const feature of featuresOf(node)) {
    if (!family.lacks.has(feature)) continue;
    throw new UnsupportedError(
      `${family.label} (${bindLabel(bindKey)}) has no ${feature}; ${INSTEAD[feature]}. Nothing was sent.`,
      { bindKey },
    );
  }
}

/** Kinds of node, other than queries, of which some databases lack something. */
export const FEATURED: ReadonlySet<string> = new Set<OperationNode["kind"]>([
  "JoinNode",
  "AggregateFunctionNode",
  "BinaryOperationNode",
]);

function featuresOf(node: OperationNode): readonly Feature[] {
  if (QueryNode.is(node)) return featuresOfQuery(node);
  switch (node.kind) {
    case "JoinNode":
      // The kind says so, as below.
      return (node as JoinNode).joinType === "FullJoin" ? ["a full join"] : [];
    case "AggregateFunctionNode":
      return "filter" in node && node.filter !== undefined ? ["filterWhere"] : [];
    case "BinaryOperationNode": {
      const { operator } = node as BinaryOperationNode;
      return OperatorNode.is(operator) && operator.operator.endsWith("ilike") ? ["ilike"] : [];
    }
    default:
      return [];
  }
}

function featuresOfQuery(node: QueryNode): readonly Feature[] {
  switch (node.kind) {
    case "SelectQueryNode":
      return node.distinctOn === undefined ? [] : ["distinctOn"];
    case "InsertQueryNode": {
      const { replace, onConflict, onDuplicateKey, orAction } = node;
      return [
        ...(replace === true ? (["replaceInto"] as const) : []),
        ...(onConflict === undefined ? [] : (["onConflict"] as const)),
        ...(onDuplicateKey === undefined ? [] : (["onDuplicateKeyUpdate"] as const)),
        ...(orAction === undefined
          ? []
          : [orAction.action === "ignore" ? ("insert ignore" as const) : ("insert or …" as const)]),
      ];
    }
    case "UpdateQueryNode":
      return node.from === undefined ? [] : ["update … from"];
    case "DeleteQueryNode":
      return node.using === undefined ? [] : ["delete … using"];
    case "MergeQueryNode":
      return ["mergeInto"];
  }
}
