import {
  AliasNode,
  AndNode,
  FromNode,
  IdentifierNode,
  type JoinNode,
  OnNode,
  type OperationNode,
  ParensNode,
  WhereNode,
} from "kysely";
import type { BindKey } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { Mapper } from "../../model/mapper.ts";
import { standForTable } from "../../schema/table.ts";
import { type EntitySelection, entitySelection } from "./entity-selection.ts";
import { type IncludePlan, type IncludeTree, includePlan } from "./include.ts";
import type { RelationFilter } from "./relation-filter.ts";
import { bounded } from "./row-counts.ts";
import type { SelectDraft } from "./select-draft.ts";
import type { SelectResult, SelectRunner, SelectStatement } from "./select-runner.ts";

/** A model as a statement names it. */
export interface NamedModel {
  readonly mapper: Mapper;
  /** The name of the table in the statement. Defaults to that of the table. */
  readonly alias: string | undefined;
}

/** A model that a statement joins. */
export interface JoinedModel extends NamedModel {
  /** Its place among the statement's joins. */
  readonly join: number;
  /** Whether its entities are read. */
  readonly isRead: boolean;
}

/** The parts of a `select(Model)`. */
export interface SelectParts {
  readonly root: NamedModel;
  readonly joined: readonly JoinedModel[];
  /** The SQL text that gives the first model's rows, where its table does not. */
  readonly text: OperationNode | undefined;
  readonly draft: SelectDraft;
  /** Whether rows are read as they are, instead of entities. */
  readonly readsRows: boolean;
  /** The relations that are loaded with the first model's entities. */
  readonly include: IncludeTree | undefined;
  /** Filters by relations of other binds, whose keys are read first. */
  readonly filters: readonly RelationFilter[];
  readonly runner: SelectRunner | undefined;
}

/** The same select with another draft. All parts are written in one order, so that they have one hidden class. */
export function withDraft(
  { root, joined, text, readsRows, include, filters, runner }: SelectParts,
  draft: SelectDraft,
): SelectParts {
  return { root, joined, text, draft, readsRows, include, filters, runner };
}

/** The same select with a runner. */
export function withRunner(
  { root, joined, text, draft, readsRows, include, filters }: SelectParts,
  runner: SelectRunner,
): SelectParts {
  return { root, joined, text, draft, readsRows, include, filters, runner };
}

/** Where a select reads its first model from. */
export function rootSelection({ root: { mapper, alias } }: Pick<SelectParts, "root">): EntitySelection {
  return entitySelection(mapper, { alias });
}

/** @throws {UnsupportedError} if keys have to be read first, so that there is no one statement */
function requireNoFilters(parts: SelectParts): void {
  if (parts.filters.length === 0) return;
  throw new UnsupportedError(
    "A filter by a relation of another bind takes a statement of its own: run the select with `all`, `first`, `one`, `count`, " +
      "`paginate` or `keyset`.",
    bindOf(parts),
  );
}

/** The bind of a select, for errors. */
export function bindOf({ root }: SelectParts): { readonly bindKey: BindKey } {
  return { bindKey: root.mapper.table.bindKey };
}

/** Whether a text names a column of the first model, perhaps with the model's name in front. */
export function isOwnColumn(
  { root: { mapper, alias = mapper.table.tableName } }: SelectParts,
  text: unknown,
): text is string {
  if (typeof text !== "string") return false;
  if (mapper.propertyNames.has(text)) return true;
  return text.startsWith(`${alias}.`) && mapper.propertyNames.has(text.slice(alias.length + 1));
}

/**
 * The whole statement. Which children a model has is asked only now: they may have been defined since the select was
 * begun.
 */
export function statementOf(parts: SelectParts): SelectStatement {
  requireNoFilters(parts);
  const root = rootSelection(parts);
  const joined = parts.joined.map(({ mapper, alias }) => entitySelection(mapper, { alias }));
  const result = resultOf(parts, root);
  const built = bounded(parts.draft.builder.toOperationNode());
  const node = { ...built, from: FromNode.create([sourceOf(parts, root)]), ...joinsOf(parts, built.joins, joined) };
  if (result.kind !== "rows") node.selections = selectionsOf(result).flatMap(({ selections }) => selections);
  if (root.condition !== undefined) node.where = WhereNode.create(both(node.where?.where, root.condition));
  return { node, result, models: [root, ...joined] };
}

function sourceOf({ text }: SelectParts, { mapper, alias, source }: EntitySelection): OperationNode {
  if (text === undefined) return source;
  const rows = AliasNode.create(ParensNode.create(text), IdentifierNode.create(alias));
  standForTable(rows, mapper.table);
  return rows;
}

function resultOf(parts: SelectParts, root: EntitySelection): SelectResult {
  if (parts.readsRows) return { kind: "rows" };
  const others = parts.joined.filter(({ isRead }) => isRead);
  const include = includeOf(parts);
  if (others.length === 0) return { kind: "entities", selection: root, include };
  const selections = [parts.root, ...others].map(({ mapper, alias }, index) =>
    entitySelection(mapper, { alias, prefix: `${index}_` }),
  );
  return { kind: "together", selections, include };
}

/**
 * The relations to load with the first model's entities.
 *
 * @throws {InvalidOptionError} if one that was named is no relation
 */
export function includeOf({ root, include }: SelectParts): IncludePlan | undefined {
  return include === undefined ? undefined : includePlan(root.mapper, include);
}

function selectionsOf(result: Exclude<SelectResult, { readonly kind: "rows" }>): readonly EntitySelection[] {
  return result.kind === "entities" ? [result.selection] : result.selections;
}

/** The joins, those of models with the tables and the condition that make their rows. */
function joinsOf(
  { joined }: SelectParts,
  joins: readonly JoinNode[] | undefined,
  selections: readonly EntitySelection[],
): { joins?: JoinNode[] } {
  if (joins === undefined) return {};
  const whole = [...joins];
  for (const [index, { join, isRead }] of joined.entries()) {
    const { source, condition } = selections[index]!;
    const { on, ...rest } = whole[join]!;
    const all = condition === undefined ? on?.on : both(on?.on, condition);
    whole[join] = {
      ...rest,
      ...(isRead ? { table: source } : {}),
      ...(all === undefined ? {} : { on: OnNode.create(all) }),
    };
  }
  return { joins: whole };
}

function both(first: OperationNode | undefined, second: OperationNode): OperationNode {
  return first === undefined ? second : AndNode.create(ParensNode.create(first), second);
}
