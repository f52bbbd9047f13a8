import { type Expression, expressionBuilder, NOOP_QUERY_EXECUTOR, QueryCreator, type SelectQueryBuilder } from "kysely";
import { boolean, sql, typed } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { asList, asText, FormatError, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { refine, sourcesIn } from "./conditions.ts";
import { Scope, type Source, tableSource } from "./scope.ts";

// biome-ignore lint/suspicious/noExplicitAny: a case's statement is known when it runs, not when this is compiled
export type AnySelect = SelectQueryBuilder<any, any, any>;

/** Kysely's builders, as a session or nothing at all begins them. */
export interface Creator {
  selectFrom(sources: readonly never[]): unknown;
  with(name: string, expression: () => never): unknown;
}

/** A select in Kysely's form. */
export interface BuiltSelect {
  readonly builder: AnySelect;
  /** What the columns of its rows are called. */
  readonly outputs: readonly string[];
  /** The columns that hold counts, which some drivers give as text. */
  readonly counts: ReadonlySet<string>;
}

interface Output {
  readonly name: string;
  readonly expression: Expression<unknown>;
  readonly isCount: boolean;
}

// biome-ignore lint/suspicious/noExplicitAny: as above
const detached = expressionBuilder<any, any>();
const withoutTables = new QueryCreator<Record<string, never>>({ executor: NOOP_QUERY_EXECUTOR });

/**
 * Builds a select, a union or a subquery of a case.
 *
 * @param creator what begins the statement: a session's own builders, or nothing for a part of another statement
 * @param numbered whether its columns are called c0, c1…, so that none is lost where names are equal
 */
export function buildSelect(statement: Json, around: Scope, numbered: boolean, creator?: Creator): BuiltSelect {
  for (const kind of ["union", "union_all"] as const) {
    const parts = memberOf(statement, kind);
    if (parts !== undefined) return buildUnion(kind, asList(parts, kind), around, numbered, creator);
  }
  const fields = new Fields(statement, "a select");
  const scope = new Scope(around.schema, around);
  const expressions = defineWith(fields.object("with"), scope);
  const outputs = fields.list("select").flatMap((item) => outputsOf(item, scope));
  const named = outputs.map((output, index) => (numbered ? { ...output, name: `c${index}` } : output));
  const sources = [
    ...new Set([
      ...fields.list("from").map((name) => scope.source(asText(name, "from"))),
      ...sourcesIn(statement as JsonObject, scope),
    ]),
  ];
  const begun = begin(expressions, sources, creator);
  const selection = named.map(({ expression, name }) =>
    (expression as Expression<unknown> & { as(alias: string): never }).as(name),
  );
  const select =
    begun === undefined ? (withoutTables.selectNoFrom(selection) as unknown as AnySelect) : begun.select(selection);
  const builder = refine(select, fields, scope, []);
  fields.ignore("select", "with", "from");
  fields.end();
  return {
    builder,
    outputs: named.map(({ name }) => name),
    counts: new Set(named.filter(({ isCount }) => isCount).map(({ name }) => name)),
  };
}

function buildUnion(
  kind: "union" | "union_all",
  parts: readonly Json[],
  scope: Scope,
  numbered: boolean,
  creator: Creator | undefined,
): BuiltSelect {
  const [first, ...others] = parts.map((part, index) =>
    buildSelect(part, scope, numbered, index === 0 ? creator : undefined),
  );
  if (first === undefined) throw new FormatError("a union of nothing");
  const builder = others.reduce(
    (all, { builder: next }) => (kind === "union" ? all.union(next) : all.unionAll(next)),
    first.builder,
  );
  return { ...first, builder };
}

/** Gives the names of a `with` their meaning. Returns the common table expressions, which the statement begins with. */
function defineWith(definitions: JsonObject, scope: Scope): [string, AnySelect][] {
  const expressions: [string, AnySelect][] = [];
  for (const [name, definition] of Object.entries(definitions)) {
    const [kind, content] = Object.entries(definition as JsonObject)[0] ?? [];
    if (kind === "alias") {
      scope.define(name, tableSource(scope.table(asText(content, "alias")).as(name)));
    } else if (kind === "subquery" || kind === "aliased_subquery") {
      const inner = buildSelect(kind === "subquery" ? content! : asList(content, kind)[1]!, scope, false);
      scope.define(name, { alias: name, expression: inner.builder.as(name), columns: inner.outputs });
    } else if (kind === "cte") {
      const inner = buildSelect(content!, scope, false);
      expressions.push([name, inner.builder]);
      scope.define(name, { alias: name, expression: name, columns: inner.outputs });
    } else {
      throw new FormatError(`the statement has ${name} as ${kind}, which this runner does not know`);
    }
  }
  return expressions;
}

/** The statement with its sources, before anything is selected; nothing where there are none. */
function begin(
  expressions: readonly [string, AnySelect][],
  sources: readonly Source[],
  creator: Creator | undefined,
): AnySelect | undefined {
  if (sources.length === 0) return undefined;
  const from = sources.map(({ expression }) => expression) as never[];
  if (creator === undefined) {
    if (expressions.length > 0) throw new FormatError("a common table expression within a part of a statement");
    return detached.selectFrom(from) as AnySelect;
  }
  const begun = expressions.reduce<Creator>(
    (all, [name, expression]) => all.with(name, () => expression as never) as Creator,
    creator,
  );
  return begun.selectFrom(from) as AnySelect;
}

function outputsOf(item: Json, scope: Scope): Output[] {
  if (typeof item === "string") {
    const columns = item.includes(".")
      ? [scope.column(item)]
      : scope.source(item).columns.map((column) => `${scope.source(item).alias}.${column}`);
    return columns.map((column) => ({ name: column.split(".")[1]!, expression: detached.ref(column), isCount: false }));
  }
  if (!isObject(item)) throw new FormatError(`the statement selects ${JSON.stringify(item)}`);
  const [kind, content] = Object.entries(item)[0] ?? [];
  const output = (expression: Expression<unknown>, isCount = false): Output[] => [{ name: kind!, expression, isCount }];
  switch (kind) {
    case "count":
      return output(
        content === true ? detached.fn.countAll() : detached.fn.count(scope.column(asText(content, "count"))),
        true,
      );
    case "max":
      return output(detached.fn.max(scope.column(asText(content, "max"))));
    case "literal":
      return output(sql.lit(content));
    case "scalar_subquery":
      return output(buildSelect(content!, scope, false).builder);
    case "exists":
      return output(typed(detached.exists(buildSelect(content!, scope, false).builder), boolean()));
    default:
      throw new FormatError(`the statement selects ${kind}, which this runner does not know`);
  }
}
