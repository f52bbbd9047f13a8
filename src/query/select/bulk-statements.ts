import {
  BinaryOperationNode,
  ColumnNode,
  ColumnUpdateNode,
  type DeleteQueryNode,
  type ExpressionBuilder,
  FromNode,
  NOOP_QUERY_EXECUTOR,
  OperatorNode,
  QueryCreator,
  ReferenceNode,
  ReturningNode,
  SelectionNode,
  SelectModifierNode,
  type SelectQueryNode,
  type UpdateQueryNode,
  type ValueExpression,
  ValueNode,
} from "kysely";
import { UnsupportedError } from "../../errors/configuration.ts";
import { InvalidValueError, UndefinedValueError } from "../../errors/value.ts";
import type { Mapper } from "../../model/mapper.ts";
import { modelsAsTables } from "../../model/models-as-tables.ts";
import { unknownProperty } from "../../model/unknown-property.ts";
import type { Row } from "../../schema/row.ts";
import type { BulkAssignment, BulkStatement } from "./bulk-statement.ts";
import { bindOf, rootSelection, type SelectParts, statementOf } from "./select-parts.ts";

/** What columns are set to: values, or expressions that the database works out. */
export type Changes<DB, TB extends keyof DB, C> = { readonly [P in keyof C]?: ValueExpression<DB, TB, Row<C>[P]> };

/** The same, or a function that makes it of an expression builder. */
export type ChangesOrFactory<DB, TB extends keyof DB, C> =
  | Changes<DB, TB, C>
  | ((eb: ExpressionBuilder<DB, TB>) => Changes<DB, TB, C>);

/** Parts of a select beyond conditions, by the part of its tree. */
const BEYOND_CONDITIONS: readonly (readonly [keyof SelectQueryNode, string])[] = [
  ["joins", "joins"],
  ["orderBy", "an order"],
  ["limit", "a limit"],
  ["offset", "an offset"],
  ["frontModifiers", "`distinct`"],
  ["groupBy", "groups"],
  ["having", "groups"],
  ["endModifiers", "a lock"],
];

/** The update of the rows that a select finds, and what it gives them. */
export function bulkUpdate(parts: SelectParts, values: unknown): BulkStatement {
  const node = updateNode(parts, values);
  return { node, assignment: assignmentOf(parts, node) };
}

function assignmentOf(parts: SelectParts, node: UpdateQueryNode): BulkAssignment | undefined {
  const { mapper } = parts.root;
  const values = literalsOf(mapper, node);
  // Rows that change their keys are not found by them.
  if (Object.keys(values).length === 0 || mapper.key.some(({ name }) => setsColumn(node, name))) return undefined;
  const keys = mapper.key.map(({ name }) => SelectionNode.create(ReferenceNode.create(ColumnNode.create(name))));
  const { from, where } = conditionsOf(parts, "update");
  return {
    mapper,
    values,
    returning: { ...node, returning: ReturningNode.create(keys) },
    keys: {
      kind: "SelectQueryNode",
      ...(from === undefined ? {} : { from }),
      ...(where === undefined ? {} : { where }),
      selections: keys,
      endModifiers: [SelectModifierNode.create("ForUpdate")],
    },
  };
}

/** The values in an update that are no expressions. */
function literalsOf(mapper: Mapper, { updates = [] }: UpdateQueryNode): Record<string, unknown> {
  const literals: Record<string, unknown> = {};
  for (const { column, value } of updates) {
    if (!ColumnNode.is(column) || !ValueNode.is(value)) continue;
    const { name } = column.column;
    const property = mapper.properties.find((one) => one.name === name);
    if (property === undefined || property === mapper.version) continue;
    literals[name] = value.value === null ? null : property.column.accept(value.value);
  }
  return literals;
}

function setsColumn({ updates = [] }: Pick<UpdateQueryNode, "updates">, name: string): boolean {
  return updates.some(({ column }) => ColumnNode.is(column) && column.column.name === name);
}

/**
 * The update of the rows that a select finds.
 *
 * @throws {UnsupportedError} if the select says more than conditions, or the rows are spread over joined tables
 * @throws {InvalidValueError} if a column is unknown or a value undefined
 */
function updateNode(parts: SelectParts, values: unknown): UpdateQueryNode {
  const { mapper } = parts.root;
  const { where } = conditionsOf(parts, "update");
  if (mapper.tables.length > 1) throw spread(parts, "update");
  const checked = (changes: unknown) => requireColumns(parts, changes as Readonly<Record<string, unknown>>);
  const given =
    typeof values === "function" ? (eb: unknown) => checked((values as (eb: unknown) => unknown)(eb)) : checked(values);
  const creator = modelsAsTables(new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR }));
  // The values were checked by the types of Select, and by name just now.
  const node = creator
    .updateTable(mapper.table as never)
    .set(given as never)
    .toOperationNode() as UpdateQueryNode;
  const updates = [...(node.updates ?? []), ...versionUpdate(parts, node.updates ?? [])];
  return { ...node, updates, ...(where === undefined ? {} : { where }) };
}

/**
 * The deletion of the rows that a select finds.
 *
 * @throws {UnsupportedError} as {@link updateNode}
 */
export function deleteNode(parts: SelectParts): DeleteQueryNode {
  const { where } = conditionsOf(parts, "delete");
  if (rootSelection(parts).isJoined) throw spread(parts, "delete");
  const from = FromNode.create([parts.root.mapper.table.node]);
  return { kind: "DeleteQueryNode", from, ...(where === undefined ? {} : { where }) };
}

function conditionsOf(parts: SelectParts, method: string): SelectQueryNode {
  const { node } = statementOf(parts);
  const more = [
    ...(parts.readsRows ? ["selected columns"] : []),
    ...(parts.text === undefined ? [] : ["SQL text for a source"]),
    ...(parts.root.alias === undefined ? [] : ["another name for the model"]),
    ...BEYOND_CONDITIONS.flatMap(([part, name]) => (node[part] === undefined ? [] : [name])),
  ];
  if (more.length === 0) return node;
  throw new UnsupportedError(
    `${method}() takes a select with conditions alone, and this one of ${parts.root.mapper.label} has ${[...new Set(more)].join(", ")}. ` +
      'Say which rows by their keys: `where("id", "in", …)`, with a select if need be.',
    bindOf(parts),
  );
}

function spread(parts: SelectParts, method: string): UnsupportedError {
  return new UnsupportedError(
    `Rows of ${parts.root.mapper.label} are spread over joined tables, which no statement can ${method} at once. ` +
      `Load the entities and ${method === "update" ? "change" : "delete"} them, or write each table in Kysely's form.`,
    bindOf(parts),
  );
}

function requireColumns(parts: SelectParts, changes: Readonly<Record<string, unknown>>): object {
  const { mapper } = parts.root;
  const names = Object.keys(changes);
  if (names.length === 0)
    throw new InvalidValueError("update() got nothing to set. Give it at least one column.", {
      ...bindOf(parts),
      status: 400,
    });
  for (const name of names) {
    const where = { ...bindOf(parts), table: mapper.table.tableName, column: name };
    if (!mapper.propertyNames.has(name)) throw unknownProperty(mapper, name);
    if (name === mapper.discriminator && mapper.isPolymorphic) {
      throw new InvalidValueError(
        `Cannot update "${name}" of ${mapper.label}: the column holds the class of each row. Delete the rows and insert ` +
          "those of the other class, or write the column in Kysely's form, where nothing is known of classes.",
        { ...where, status: 400 },
      );
    }
    if (changes[name] === undefined) {
      throw new UndefinedValueError(
        `update() received undefined for "${name}". Omit the key, or pass null for SQL NULL.`,
        where,
      );
    }
  }
  return changes;
}

/** Rows that are updated get another version, so that entities loaded before elsewhere are known to be old. */
function versionUpdate({ root }: SelectParts, updates: readonly ColumnUpdateNode[]): ColumnUpdateNode[] {
  const name = root.mapper.version?.name;
  if (name === undefined || setsColumn({ updates }, name)) return [];
  const column = ColumnNode.create(name);
  const next = BinaryOperationNode.create(
    ReferenceNode.create(column),
    OperatorNode.create("+"),
    ValueNode.createImmediate(1),
  );
  return [ColumnUpdateNode.create(column, next)];
}
