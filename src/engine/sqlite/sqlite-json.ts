import { AliasNode, ColumnNode, IdentifierNode, RawNode, ReferenceNode, TableNode } from "kysely";
import { asJson, type JsonCasts, type JsonQuery, jsonObject } from "../json-recipe.ts";

const CASTS: JsonCasts = {
  bigint: ["cast(", " as text)"],
  binary: ["case when ", " is not null then hex(", ") end"],
};

/** Makes JSON of the rows of a query. */
export function sqliteJson({ select, shape, fields }: JsonQuery): RawNode {
  const rows = TableNode.create("nested");
  const object = jsonObject(
    fields.map((field) => ({
      name: field.name,
      value: asJson(CASTS, field, ReferenceNode.create(ColumnNode.create(field.name), rows)),
    })),
  );
  const made = shape === "object" ? object : RawNode.create(["coalesce(json_group_array(", "), '[]')"], [object]);
  return RawNode.create(["(select ", " from ", ")"], [made, AliasNode.create(select, IdentifierNode.create("nested"))]);
}
