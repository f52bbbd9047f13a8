import type { QueryNode, ReturningNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { WriteKind } from "../family.ts";
import { mapNode } from "./nodes.ts";
import type { Scope } from "./scope.ts";
import { translateSelections } from "./selections.ts";
import type { Translator } from "./translator.ts";

const WRITE_KINDS: Readonly<Record<string, WriteKind>> = {
  InsertQueryNode: "insert",
  UpdateQueryNode: "update",
  DeleteQueryNode: "delete",
};

/**
 * Translates a property of a query that means the same in every kind of query.
 *
 * @throws {UnsupportedError} if the query returns rows and the database cannot do that
 */
export function translatePart(
  translator: Translator,
  query: QueryNode,
  scope: Scope,
  value: unknown,
  property: string,
): unknown {
  switch (property) {
    case "with":
      return translator.translateProperty(value, scope.outer!);
    case "returning":
      // The property says so.
      return translateReturning(translator, query, scope, value as ReturningNode);
    default:
      return translator.translateProperty(value, scope);
  }
}

function translateReturning(
  translator: Translator,
  query: QueryNode,
  scope: Scope,
  node: ReturningNode,
): ReturningNode {
  const { engine } = translator;
  const { family, bindKey } = engine;
  const write = WRITE_KINDS[query.kind];
  if (write !== undefined && !engine.supportsReturning(write)) {
    throw new UnsupportedError(
      `The database of ${bindLabel(bindKey)} cannot return the rows of ${write === "insert" ? "an" : "a"} ${write}: ` +
        `${family.label} has no \`returning\` there. Select the rows afterwards.`,
      { bindKey },
    );
  }
  return mapNode(node, (part, name) =>
    name === "selections" ? translateSelections(translator, query, node.selections, scope) : part,
  );
}
