import { AliasNode, IdentifierNode, type QueryNode, type ReferenceNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { nameList, quotedName } from "../../errors/name-list.ts";
import { UnknownTableError } from "../../errors/schema.ts";
import { UnknownColumnError } from "../../errors/unknown-column.ts";
import { didYouMean } from "../../nearest-name.ts";
import type { CompileTarget } from "./compile-target.ts";
import type { Relation } from "./relation.ts";
import type { Scope } from "./scope.ts";

/** PostgreSQL's names for a row before and after it was written. */
const WRITTEN_ROWS: ReadonlySet<string> = new Set(["old", "new"]);

/**
 * Refuses a column that the relation does not have.
 *
 * @throws {UnknownColumnError}
 */
export function requireColumn(engine: CompileTarget, relation: Relation | undefined, column: string): void {
  if (relation === undefined || !relation.isClosed || relation.has(column) || isHidden(engine, column)) return;
  throw unknown(engine, column, [relation]);
}

/**
 * Refuses a reference to a table or column that the statement does not have, as far as that is known: the tables were given
 * as models or tables, or are subqueries of such.
 *
 * @param relation the relation that the reference means, if one was found
 * @throws {UnknownColumnError}
 * @throws {UnknownTableError}
 */
export function requireKnown(
  engine: CompileTarget,
  scope: Scope,
  { table, column }: ReferenceNode,
  relation: Relation | undefined,
): void {
  const name = column.kind === "ColumnNode" ? column.column.name : undefined;
  if (table === undefined) {
    if (name !== undefined && relation === undefined) requireSomewhere(engine, scope, name);
  } else if (relation === undefined) {
    if (table.table.schema === undefined) requireRelation(engine, scope, table.table.identifier.name);
  } else if (name !== undefined) {
    requireColumn(engine, relation, name);
  }
}

function requireSomewhere(engine: CompileTarget, scope: Scope, column: string): void {
  const relations = relationsAround(scope);
  if (relations === undefined || relations.length === 0 || isHidden(engine, column)) return;
  for (const relation of relations) {
    // A row as a whole has the name of its table.
    if (!relation.isClosed || relation.name === column || relation.has(column)) return;
  }
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer)
    if (one.query !== undefined && selectsAs(one.query, column)) return;
  throw unknown(engine, column, relations);
}

function requireRelation(engine: CompileTarget, scope: Scope, name: string): void {
  const relations = relationsAround(scope);
  if (relations === undefined || relations.length === 0) return;
  const names = new Set<string>();
  for (const relation of relations) {
    // Several of one name are for the database to tell apart.
    if (relation.name === undefined || relation.name === name) return;
    names.add(relation.name);
  }
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer)
    if (one.query !== undefined && one.query.kind !== "SelectQueryNode" && WRITTEN_ROWS.has(name)) return;
  const hint = didYouMean(name, names);
  throw new UnknownTableError(
    `The statement for ${bindLabel(engine.bindKey)} has no table or alias ${quotedName(name)}.${hint} ` +
      `It has: ${nameList([...names].map((one) => `"${one}"`))}.`,
    { bindKey: engine.bindKey },
  );
}

/** All relations that a name may be of, the innermost first; undefined where SQL text may bring in more. */
function relationsAround(scope: Scope): readonly Relation[] | undefined {
  const relations: Relation[] = [];
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer) {
    if (one.mayHaveOthers) return undefined;
    relations.push(...one.relations);
  }
  return relations;
}

/** Whether a query calls one of its results so: `group by` and `having` may mean that. */
function selectsAs(query: QueryNode, name: string): boolean {
  const selections = (query.kind === "SelectQueryNode" ? query.selections : undefined) ?? [];
  return selections.some(
    ({ selection }) => AliasNode.is(selection) && IdentifierNode.is(selection.alias) && selection.alias.name === name,
  );
}

function isHidden({ family }: CompileTarget, column: string): boolean {
  return family.systemColumns.has(column.toLowerCase());
}

function unknown({ bindKey }: CompileTarget, column: string, relations: readonly Relation[]): UnknownColumnError {
  const described = new Set<unknown>();
  const owners = relations.flatMap((relation) => {
    const { name, table, columns } = relation;
    if (name === undefined && relations.length > 1) return [];
    if (table !== undefined && described.has(table)) return [];
    described.add(table ?? relation);
    return [{ name: name ?? "the result", columns: columns.flatMap((one) => one.name ?? []) }];
  });
  return new UnknownColumnError({ bindKey, column, owners });
}
