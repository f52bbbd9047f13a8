import type {
  ComparisonOperatorExpression,
  ExpressionOrFactory,
  OperandValueExpressionOrList,
  OrderByExpression,
  OrderByModifiers,
  ReferenceExpression,
  SqlBool,
} from "kysely";
import { UnsupportedError } from "../../errors/configuration.ts";
import { InvalidValueError } from "../../errors/value.ts";
import { isParameter, type ParameterExpression } from "../prepared/parameters.ts";
import { RunnableSelect } from "./runnable-select.ts";
import { type AnyBuilder, applied, SelectDraft } from "./select-draft.ts";
import { bindOf, isOwnColumn, rootSelection, withDraft } from "./select-parts.ts";
import type { OrderNames } from "./select-types.ts";

/** How rows are locked when they are read. */
type Lock = "forUpdate" | "forShare" | "forNoKeyUpdate" | "forKeyShare";

/**
 * A select whose rows can be arranged: in groups, in an order, how many of them, and locked.
 *
 * @typeParam DB the tables in it, as Kysely's types want them
 * @typeParam TB their names
 * @typeParam E what its rows become
 */
export abstract class ArrangedSelect<DB, TB extends keyof DB, E> extends RunnableSelect<DB, TB, E> {
  /** Makes one row of all that are equal in these columns or expressions. @see SQLAlchemy: `Select.group_by` */
  groupBy<GE extends ReferenceExpression<DB, TB>>(by: GE | readonly GE[]): this {
    return this.refined((builder) => applied(builder, "groupBy", [by]));
  }

  /** Keeps groups that fulfil a condition. @see SQLAlchemy: `Select.having` */
  having<RE extends ReferenceExpression<DB, TB>>(
    column: RE,
    operator: ComparisonOperatorExpression,
    value: OperandValueExpressionOrList<DB, TB, RE>,
  ): this;
  having<X extends ExpressionOrFactory<DB, TB, SqlBool>>(condition: X): this;
  having(...given: readonly unknown[]): this {
    return this.refined((builder) => applied(builder, "having", given));
  }

  /**
   * Orders by a column or expression; a further one decides among rows that are equal in those before.
   *
   * @example
   * select(User).orderBy("name").orderBy("id", "desc")
   */
  orderBy<OE extends OrderByExpression<DB, TB, OrderNames<E>>>(expression: OE, direction?: OrderByModifiers): this {
    if (isOwnColumn(this.parts, expression) && isDirection(direction)) {
      return this.rebuilt(withDraft(this.parts, this.parts.draft.orderBy(expression, direction)));
    }
    return this.refined((builder) =>
      applied(builder, "orderBy", direction === undefined ? [expression] : [expression, direction]),
    );
  }

  /**
   * Reads at most so many rows.
   *
   * @param rows an integer, or in a prepared statement a parameter
   * @throws {InvalidValueError} if that is not an integer from 0 up
   */
  limit(rows: number | ParameterExpression<number>): this {
    if (isParameter(rows)) return this.refined((builder) => builder.limit(rows));
    return this.rebuilt(withDraft(this.parts, this.parts.draft.limit(countOfRows(rows, "limit"))));
  }

  /**
   * Leaves out the first rows.
   *
   * @param rows an integer, or in a prepared statement a parameter
   * @throws {InvalidValueError} if that is not an integer from 0 up
   */
  offset(rows: number | ParameterExpression<number>): this {
    if (isParameter(rows)) return this.refined((builder) => builder.offset(rows));
    return this.refined((builder) => builder.offset(countOfRows(rows, "offset")));
  }

  /** Reads each row once, where a join would repeat it. */
  distinct(): this {
    return this.refined((builder) => builder.distinct());
  }

  /**
   * Locks the rows until the transaction ends, which this begins.
   *
   * @throws {UnsupportedError} if the model's rows are spread over joined tables
   *
   * @see SQLAlchemy: `Select.with_for_update`
   */
  forUpdate(): this {
    return this.#lock("forUpdate");
  }

  /** Locks the rows against changes by others until the transaction ends, which this begins. */
  forShare(): this {
    return this.#lock("forShare");
  }

  /**
   * The same as {@link forUpdate}, on PostgreSQL: but others may still lock the rows' keys, as their foreign keys do. Where
   * single rows cannot be locked, the transaction has the database to itself.
   *
   * @throws {UnsupportedError} on MySQL and MariaDB
   */
  forNoKeyUpdate(): this {
    return this.#lock("forNoKeyUpdate");
  }

  /**
   * Locks the rows against deletion and against changes of their keys, on PostgreSQL.
   *
   * @throws {UnsupportedError} on MySQL and MariaDB
   */
  forKeyShare(): this {
    return this.#lock("forKeyShare");
  }

  /** Passes over rows that others have locked. Follows `forUpdate` or `forShare`. */
  skipLocked(): this {
    return this.refined((builder) => builder.skipLocked());
  }

  /** Fails at once if others have locked a row. Follows `forUpdate` or `forShare`. */
  noWait(): this {
    return this.refined((builder) => builder.noWait());
  }

  /** @internal the select with another builder */
  protected refined(change: (builder: AnyBuilder) => AnyBuilder): this {
    return this.rebuilt(withDraft(this.parts, SelectDraft.of(change(this.parts.draft.builder))));
  }

  #lock(kind: Lock): this {
    const { isJoined, mapper } = rootSelection(this.parts);
    if (isJoined) {
      throw new UnsupportedError(
        `Rows of ${mapper.label} are spread over joined tables, of which databases do not lock the same. Lock them one by one with \`get(…, { lock: true })\`.`,
        bindOf(this.parts),
      );
    }
    return this.refined((builder) => builder[kind]());
  }
}

function isDirection(direction: unknown): direction is "asc" | "desc" | undefined {
  return direction === undefined || direction === "asc" || direction === "desc";
}

function countOfRows(rows: unknown, name: string): number {
  if (typeof rows === "number" && Number.isSafeInteger(rows) && rows >= 0) return rows;
  throw new InvalidValueError(`${name}() takes an integer from 0 up.`, { status: 400 });
}
