import { type AliasableExpression, ExpressionWrapper, ValueNode } from "kysely";
import { NamedParameter } from "../../engine/statement/placeholders.ts";

/** Parameters of which nothing is known before they are used. */
export type UnknownParameters = Readonly<Record<string, unknown>>;

/** A parameter in a statement. An untyped one may stand anywhere. */
export type ParameterExpression<T> = AliasableExpression<unknown extends T ? never : T>;

/**
 * Names the parameters of a prepared statement, in `db.prepare`.
 *
 * @typeParam P the parameters and their types
 *
 * @example
 * db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("id")));
 *
 * @see SQLAlchemy: `bindparam`
 */
export type Params<P extends object = UnknownParameters> = <N extends keyof P & string>(
  name: N,
) => ParameterExpression<P[N]>;

/** The values that a prepared statement is run with; none where it needs none. */
export type Given<P extends object> = Record<never, never> extends P ? [values?: P] : [values: P];

/** @internal whether something is a parameter of a prepared statement */
export function isParameter(value: unknown): value is ParameterExpression<unknown> {
  if (!(value instanceof ExpressionWrapper)) return false;
  const node = value.toOperationNode();
  return ValueNode.is(node) && node.value instanceof NamedParameter;
}

/** @internal what names parameters, and the names so far */
export function parameterNames(): { readonly p: Params; readonly names: ReadonlySet<string> } {
  const names = new Set<string>();
  const p: Params = (name) => {
    names.add(name);
    return new ExpressionWrapper(ValueNode.create(new NamedParameter(name)));
  };
  return { p, names };
}
