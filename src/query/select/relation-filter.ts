import type { Expression, ExpressionBuilder, SqlBool } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { InvalidOptionError, UnsupportedError } from "../../errors/configuration.ts";
import { CrossBindFilterError } from "../../errors/relation.ts";
import { requireKnownOptions } from "../../known-options.ts";
import type { Mapper } from "../../model/mapper.ts";
import { type Relation, relationOf } from "../../model/relations/relation.ts";
import type { ReadOptions } from "./select-runner.ts";

/** How a filter by a relation of another bind is bounded: it takes a statement of its own, which gives keys. */
export interface AcrossOptions {
  /** The most keys that may be read; more are an error. */
  readonly maxKeys: number;
}

const OPTIONS: readonly (keyof AcrossOptions)[] = ["maxKeys"];

// biome-ignore lint/suspicious/noExplicitAny: which columns there are is known at run time only
type AnyExpressions = ExpressionBuilder<any, any>;

/** A select, of which only what a filter needs matters here. */
export interface FilterSelect extends Expression<unknown> {
  select(columns: readonly string[]): FilterSelect;
  where(condition: (eb: AnyExpressions) => Expression<SqlBool>): FilterSelect;
  distinct(): FilterSelect;
  limit(rows: number): FilterSelect;
  on(runner: unknown): FilterSelect;
  all(options: ReadOptions): Promise<unknown[]>;
  toOperationNode(): ReturnType<Expression<unknown>["toOperationNode"]> & {
    readonly limit?: unknown;
    readonly offset?: unknown;
    readonly orderBy?: unknown;
  };
}

/** A filter by what a relation leads to. */
export interface RelationFilter {
  readonly relation: Relation;
  /** The rows that it has to lead to. */
  readonly statement: FilterSelect;
  /** Whether rows are kept that lead to none of them. */
  readonly isNegated: boolean;
  /** The most keys to read; absent where both sides share a bind. */
  readonly maxKeys: number | undefined;
}

/**
 * The filter that `whereHas` asks for.
 *
 * @throws {RelationError} if the class has no such relation
 * @throws {CrossBindFilterError} if the relation leads to another bind, and no bound was given
 * @throws {UnsupportedError} if it is many to many, or the statement has a limit
 */
export function relationFilter(
  mapper: Mapper,
  given: readonly unknown[],
  isNegated: boolean,
  begin: (mapper: Mapper) => FilterSelect,
): RelationFilter {
  const [name, ...rest] = given;
  const relation = relationOf(mapper, String(name));
  const method = isNegated ? "whereHasNot" : "whereHas";
  const isStatement = typeof rest[0] === "object" && rest[0] !== null && "toOperationNode" in rest[0];
  // The types of the overloads allow no other object with a node.
  const statement = isStatement ? (rest[0] as FilterSelect) : undefined;
  const options = isStatement ? rest[1] : rest[0];
  if (options !== undefined) requireKnownOptions(options, OPTIONS, `${method}()`);
  const { maxKeys } = (options ?? {}) as Partial<AcrossOptions>;
  if (maxKeys !== undefined && !(Number.isSafeInteger(maxKeys) && maxKeys > 0))
    throw new InvalidOptionError(`Expected the option maxKeys of ${method}() to be an integer from 1 up.`);
  if (relation.link !== undefined) {
    throw new UnsupportedError(
      `Cannot filter by ${relation.label}, which is many to many: relate to the rows between as a model, and filter by that.`,
      { bindKey: mapper.table.bindKey },
    );
  }
  const isAcross = relation.target.table.bindKey !== mapper.table.bindKey;
  if (isAcross && maxKeys === undefined) throw unbounded(relation, method);
  return {
    relation,
    statement: rowsOf(relation, statement, begin),
    isNegated,
    maxKeys: isAcross ? maxKeys : undefined,
  };
}

function rowsOf(
  { target, statement, label }: Relation,
  given: FilterSelect | undefined,
  begin: (mapper: Mapper) => FilterSelect,
): FilterSelect {
  const own = [statement?.() as FilterSelect | undefined, given].filter((one) => one !== undefined);
  const key = target.key.map(({ name }) => name);
  let rows: FilterSelect | undefined;
  for (const one of own) {
    const { limit, offset, orderBy } = one.toOperationNode();
    if (limit !== undefined || offset !== undefined) {
      throw new UnsupportedError(`Cannot filter by ${label} with a statement that has a limit or an offset.`, {
        bindKey: target.table.bindKey,
      });
    }
    // Keys that are read once each cannot be in an order of other columns.
    const isPlain = rows === undefined && orderBy === undefined;
    rows = isPlain ? one : (rows ?? begin(target)).where((eb) => within(eb, key, one.select(key)));
  }
  return rows ?? begin(target);
}

/** The condition on the rows of the class that has the relation, where both sides share a bind. */
export function condition({ relation, statement, isNegated }: RelationFilter, alias: string) {
  const { own, other } = columnsOf(relation);
  const keys = statement.where((eb) => eb.and(other.map((name) => eb(name, "is not", null)))).select(other);
  return kept(
    relation,
    own.map((name) => `${alias}.${name}`),
    isNegated,
    keys,
  );
}

/**
 * The same where the sides have binds of their own: the keys are read first.
 *
 * @throws {CrossBindFilterError} if there are more than the bound allows
 */
export async function conditionByKeys(
  { relation, statement, isNegated, maxKeys }: RelationFilter,
  alias: string,
  runner: unknown,
  options: ReadOptions,
) {
  const { own, other } = columnsOf(relation);
  const reading = statement
    .where((eb) => eb.and(other.map((name) => eb(name, "is not", null))))
    .select(other)
    .distinct()
    .limit(maxKeys! + 1);
  const rows = (await reading.on(runner).all(options)) as readonly Readonly<Record<string, unknown>>[];
  if (rows.length > maxKeys!) throw tooMany(relation, maxKeys!);
  const names = own.map((name) => `${alias}.${name}`);
  return (eb: AnyExpressions): Expression<SqlBool> => {
    const found = eb.or(
      rows.length === 0
        ? [eb(eb.lit(1), "=", eb.lit(0) as never)]
        : names.length === 1
          ? [
              eb(
                names[0]!,
                "in",
                rows.map((row) => row[other[0]!]),
              ),
            ]
          : rows.map((row) => eb.and(names.map((name, index) => eb(name, "=", row[other[index]!])))),
    );
    return isNegated ? eb.or([eb.not(found), ...names.map((name) => eb(name, "is", null))]) : found;
  };
}

function kept(relation: Relation, names: readonly string[], isNegated: boolean, keys: FilterSelect) {
  return (eb: AnyExpressions): Expression<SqlBool> => {
    const found = within(eb, names, keys);
    if (!isNegated) return found;
    const missing = relation.kind === "belongsTo" ? names.map((name) => eb(name, "is", null)) : [];
    return eb.or([eb.not(found), ...missing]);
  };
}

function within(eb: AnyExpressions, names: readonly string[], keys: FilterSelect): Expression<SqlBool> {
  if (names.length === 1) return eb(names[0]!, "in", keys as Expression<never>);
  const [first, second, ...others] = names as readonly [string, string, ...string[]];
  return eb(eb.refTuple(first, second, ...(others as [])), "in", keys as Expression<never>);
}

function columnsOf({ pairs }: Relation): { readonly own: readonly string[]; readonly other: readonly string[] } {
  return { own: pairs.map(({ own }) => own.name), other: pairs.map(({ other }) => other.name) };
}

function tooMany(relation: Relation, maxKeys: number): CrossBindFilterError {
  const { label, target, place } = relation;
  return new CrossBindFilterError(
    `Cannot filter by ${label}: more than ${maxKeys} keys of ${bindLabel(target.table.bindKey)} match. Narrow the statement, start from ` +
      `${target.name}, or raise maxKeys.`,
    { ...place, maxKeys, targetBindKey: target.table.bindKey },
  );
}

function unbounded(relation: Relation, method: string): CrossBindFilterError {
  const { label, name, target, place } = relation;
  return new CrossBindFilterError(
    `Cannot filter by ${label} without a bound: its rows are in ${bindLabel(target.table.bindKey)}, so their keys are read first. Say how ` +
      `many may be read, ${method}("${name}", select(${target.name}).where(…), { maxKeys: 5000 }).`,
    { ...place, maxKeys: undefined, targetBindKey: target.table.bindKey },
  );
}
