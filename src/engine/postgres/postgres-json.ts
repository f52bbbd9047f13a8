import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
} from "kysely";
import { asJson, type JsonCasts, type JsonQuery } from "../json-recipe.ts";

const CASTS: JsonCasts = {
  bigint: ["cast(", " as text)"],
  numeric: ["cast(", " as text)"],
  binary: ["encode(", ", 'hex')"],
};

/** Makes JSON of the rows of a query. A row is taken as a whole: a list of arguments may have 100 of them only. */
export function postgresJson({ select, shape, fields }: JsonQuery): RawNode {
  const rows = TableNode.create("nested");
  const columns = fields.map((field) => {
    const value = asJson(CASTS, field, ReferenceNode.create(ColumnNode.create(field.name), rows));
    return SelectionNode.create(AliasNode.create(value, IdentifierNode.create(field.name)));
  });
  const from = AliasNode.create(select, IdentifierNode.create("nested"));
  const selected = SelectQueryNode.cloneWithSelections(SelectQueryNode.createFrom([from]), columns);
  const aggregate = shape === "object" ? "row_to_json(made)" : "coalesce(json_agg(row_to_json(made)), '[]')";
  return RawNode.create([`(select ${aggregate} from `, " as made)"], [selected]);
}
