import { AliasNode, IdentifierNode, type OperationNode, RawNode, SelectionNode, type SelectQueryNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import { asJson, type JsonCasts, type JsonQuery, jsonObject } from "../json-recipe.ts";

const CASTS: JsonCasts = {
  bigint: ["cast(", " as char)"],
  numeric: ["cast(", " as char)"],
  json: ["cast(", " as char)"],
  binary: ["hex(", ")"],
};

/**
 * Makes JSON of the rows of a query, where its columns are selected: MariaDB lets no query in `from` name what is outside
 * of it.
 *
 * @throws {UnsupportedError} if the query is more than a plain select
 */
export function mysqlJson({ bindKey, select, shape, fields }: JsonQuery): RawNode {
  const object = jsonObject(fields.map((field) => ({ name: field.name, value: asJson(CASTS, field, field.value) })));
  if (shape === "object") return onlySelecting(select, object);
  const { orderBy, ...unordered } = select;
  const { limit, offset, groupBy, having, setOperations, frontModifiers, with: expressions } = select;
  if ([limit, offset, groupBy, having, setOperations, frontModifiers, expressions].some((part) => part !== undefined)) {
    throw new UnsupportedError(
      `MySQL (${bindLabel(bindKey)}) nests the rows of a plain select: without limit, groups, distinct, set operations and common table expressions.`,
      { bindKey },
    );
  }
  const list =
    orderBy === undefined
      ? RawNode.create(["coalesce(json_arrayagg(", "), '[]')"], [object])
      : RawNode.create(["coalesce(json_arrayagg(", " ", "), '[]')"], [object, orderBy]);
  return onlySelecting(unordered, list);
}

/** A query, as a value, that selects nothing else than what is made of its columns. */
function onlySelecting(select: SelectQueryNode, value: OperationNode): RawNode {
  const selection = AliasNode.create(value, IdentifierNode.create("nested"));
  const node: SelectQueryNode = { ...select, selections: [SelectionNode.create(selection)] };
  return RawNode.create(["", ""], [node]);
}
