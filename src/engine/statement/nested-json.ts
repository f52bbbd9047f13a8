import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  RawNode,
  ReferenceNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  ValueNode,
} from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import { InvalidValueError } from "../../errors/value.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import type { NestedRows } from "./nested-rows.ts";
import type { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates a query whose rows become JSON.
 *
 * @throws {InvalidValueError} if a column of it has no name
 * @throws {UnsupportedError} if the database cannot nest such a query
 */
export function translateNested(translator: Translator, { query, shape }: NestedRows, scope: Scope): RawNode {
  const inside = translator.resolver.open(query, scope);
  const select = translateSelect(translator, query, inside, { spellsOut: true });
  const kinds = new Map(
    translator.resolver
      .outputs(query, inside)
      .columns.map(({ name, converter }) => [name, converter?.column.definition.type.kind]),
  );
  const fields = (select.selections ?? []).map(({ selection }) => fieldOf(translator, selection));
  const kindOf = ({ name }: Field) => kinds.get(name);
  if (translator.engine.family.name === "mysql") return inPlace(translator, select, shape, fields, kindOf);
  return aroundQuery(translator, select, shape, fields, kindOf);
}

/** A column of nested rows. */
interface Field {
  readonly name: string;
  readonly value: OperationNode;
}

function fieldOf({ engine: { bindKey } }: Translator, selection: OperationNode): Field {
  if (AliasNode.is(selection) && IdentifierNode.is(selection.alias))
    return { name: selection.alias.name, value: selection.node };
  if (ReferenceNode.is(selection) && ColumnNode.is(selection.column))
    return { name: selection.column.column.name, value: selection };
  throw new InvalidValueError(
    `Every column of nested rows (${bindLabel(bindKey)}) needs a name: give expressions an alias, and name the columns of ` +
      "tables that are not described.",
    { bindKey },
  );
}

/** SQLite and PostgreSQL take the query as it is, and make JSON of its rows. */
function aroundQuery(
  { engine }: Translator,
  select: SelectQueryNode,
  shape: NestedRows["shape"],
  fields: readonly Field[],
  kindOf: (field: Field) => TypeKind | undefined,
): RawNode {
  const isSqlite = engine.family.name === "sqlite";
  const rows = TableNode.create("nested");
  const values = fields.map((field) => {
    const reference = ReferenceNode.create(ColumnNode.create(field.name), rows);
    return { name: field.name, value: asJson(isSqlite ? SQLITE : POSTGRES, kindOf(field), reference) };
  });
  const from = AliasNode.create(select, IdentifierNode.create("nested"));
  if (isSqlite) {
    const object = jsonObject(values);
    const made = shape === "object" ? object : RawNode.create(["coalesce(json_group_array(", "), '[]')"], [object]);
    return RawNode.create(["(select ", " from ", ")"], [made, from]);
  }
  // A row as a whole: a list of arguments may have 100 of them only.
  const columns = values.map(({ name, value }) => AliasNode.create(value, IdentifierNode.create(name)));
  const selected = SelectQueryNode.cloneWithSelections(
    SelectQueryNode.createFrom([from]),
    columns.map((column) => SelectionNode.create(column)),
  );
  const aggregate = shape === "object" ? "row_to_json(made)" : "coalesce(json_agg(row_to_json(made)), '[]')";
  return RawNode.create([`(select ${aggregate} from `, " as made)"], [selected]);
}

/** MariaDB lets no query in `from` name what is outside of it, so JSON is made where the columns are selected. */
function inPlace(
  { engine: { bindKey, family } }: Translator,
  select: SelectQueryNode,
  shape: NestedRows["shape"],
  fields: readonly Field[],
  kindOf: (field: Field) => TypeKind | undefined,
): RawNode {
  const object = jsonObject(
    fields.map((field) => ({ name: field.name, value: asJson(MYSQL, kindOf(field), field.value) })),
  );
  if (shape === "object") return onlySelecting(select, object);
  const { orderBy, ...unordered } = select;
  const { limit, offset, groupBy, having, setOperations, frontModifiers, with: expressions } = select;
  if ([limit, offset, groupBy, having, setOperations, frontModifiers, expressions].some((part) => part !== undefined)) {
    throw new UnsupportedError(
      `${family.label} (${bindLabel(bindKey)}) nests the rows of a plain select: without limit, groups, distinct, set operations and common table expressions.`,
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

function jsonObject(fields: readonly Field[]): RawNode {
  const parameters = fields.flatMap(({ name, value }) => [ValueNode.createImmediate(name), value]);
  return RawNode.create(
    ["json_object(", ...new Array<string>(Math.max(parameters.length - 1, 0)).fill(", "), ")"],
    parameters,
  );
}

/** How values are written that JSON does not have, or not exactly: the SQL around each mention of the value. */
type Casts = Readonly<Partial<Record<TypeKind, readonly string[]>>>;

const SQLITE: Casts = {
  bigint: ["cast(", " as text)"],
  binary: ["case when ", " is not null then hex(", ") end"],
};
const POSTGRES: Casts = {
  bigint: ["cast(", " as text)"],
  numeric: ["cast(", " as text)"],
  binary: ["encode(", ", 'hex')"],
};
const MYSQL: Casts = {
  bigint: ["cast(", " as char)"],
  numeric: ["cast(", " as char)"],
  json: ["cast(", " as char)"],
  binary: ["hex(", ")"],
};

function asJson(casts: Casts, kind: TypeKind | undefined, value: OperationNode): OperationNode {
  const cast = kind === undefined ? undefined : casts[kind];
  return cast === undefined ? value : RawNode.create(cast, new Array<OperationNode>(cast.length - 1).fill(value));
}
