import { ExpressionWrapper, type OrderByModifiers, type SelectQueryBuilder, ValueNode } from "kysely";
import { NamedParameter } from "../../engine/statement/placeholders.ts";

// biome-ignore lint/suspicious/noExplicitAny: inside, the builder's types would say nothing that the methods of Select do not
export type AnyBuilder = SelectQueryBuilder<any, any, any>;

/** Makes Kysely's builder, with a value or something in its place for each position. */
type Build = (valueAt: (position: number) => unknown) => AnyBuilder;

/** Operators that take any value that is not null, and are the same text for each. */
const COMPARISONS: ReadonlySet<unknown> = new Set(["=", "==", "!=", "<>", "<", "<=", ">", ">=", "like", "not like"]);

const NO_VALUES: readonly unknown[] = [];

/**
 * A select while it is built. As long as nothing but plain steps are taken, its shape is known: selects of one shape
 * differ in their values alone, so the first of them is compiled for all, and Kysely's builder is not even made.
 */
export class SelectDraft {
  /** What all selects of the same steps have in common; undefined where other steps were taken. */
  readonly shape: string | undefined;
  /** The values of the plain steps, in their order. */
  readonly values: readonly unknown[];
  readonly #build: Build;
  #builder: AnyBuilder | undefined;

  private constructor(build: Build, shape: string | undefined, values: readonly unknown[]) {
    this.#build = build;
    this.shape = shape;
    this.values = values;
  }

  /** A select that is begun by a builder of which nothing but the shape of its source is known. */
  static begin(make: () => AnyBuilder): SelectDraft {
    return new SelectDraft(make, "", NO_VALUES);
  }

  /** A select that was built in any way. */
  static of(builder: AnyBuilder): SelectDraft {
    return new SelectDraft(() => builder, undefined, NO_VALUES);
  }

  /** The select as Kysely's builder has it. */
  get builder(): AnyBuilder {
    this.#builder ??= this.#build((position) => this.values[position]);
    return this.#builder;
  }

  /** The same with parameters in place of the values, named by their positions. */
  get template(): SelectDraft {
    return SelectDraft.of(
      this.#build((position) => new ExpressionWrapper(ValueNode.create(new NamedParameter(String(position))))),
    );
  }

  /** Whether a comparison is a plain step, if its first part is a column. */
  static isPlain(operator: unknown, value: unknown): boolean {
    if (!COMPARISONS.has(operator)) return false;
    const type = typeof value;
    return type === "string" || type === "number" || type === "boolean" || type === "bigint" || value instanceof Date;
  }

  /** @param column the name of a column of the model; with other text in it, shapes might be taken for one another */
  where(column: string, operator: string, value: unknown): SelectDraft {
    if (typeof value === "boolean") {
      // Statements have truth values in their text.
      const build: Build = (valueAt) => this.#build(valueAt).where(column, operator as "=", value);
      return this.#step(build, `where ${column} ${operator} ${value}`, this.values);
    }
    const position = this.values.length;
    return this.#step(
      (valueAt) => this.#build(valueAt).where(column, operator as "=", valueAt(position)),
      `where ${column} ${operator}`,
      [...this.values, value],
    );
  }

  /** @param column as for {@link where} */
  orderBy(column: string, direction: "asc" | "desc" | undefined): SelectDraft {
    const order = (builder: AnyBuilder) =>
      direction === undefined ? builder.orderBy(column) : builder.orderBy(column, direction as OrderByModifiers);
    return this.#step((valueAt) => order(this.#build(valueAt)), `order ${column} ${direction}`, this.values);
  }

  limit(rows: number): SelectDraft {
    return this.#step(
      // As text: SQLite plans a statement anew each time a parameter of its limit is bound.
      (valueAt) =>
        this.#build(valueAt).limit(new ExpressionWrapper<never, never, number>(ValueNode.createImmediate(rows))),
      `limit ${rows}`,
      this.values,
    );
  }

  #step(build: Build, step: string, values: readonly unknown[]): SelectDraft {
    if (this.shape !== undefined) return new SelectDraft(build, `${this.shape}\n${step}`, values);
    return SelectDraft.of(build((position) => values[position]));
  }
}

/** The builder that a method of the one given gives back. */
export function applied(
  builder: AnyBuilder,
  method: "where" | "whereRef" | "having" | "innerJoin" | "leftJoin" | "orderBy" | "select" | "groupBy",
  given: readonly unknown[],
): AnyBuilder {
  // The overloads of Select have checked what is handed on.
  return (builder[method] as (...values: readonly unknown[]) => AnyBuilder)(...given);
}
