import {
  type Compilable,
  type InferResult,
  NOOP_QUERY_EXECUTOR,
  type RootOperationNode,
  type SelectQueryNode,
} from "kysely";
import { InvalidValueError } from "../../errors/value.ts";
import { type KyselyForm, kyselyForm } from "../kysely-form.ts";
import { Select } from "../select/select.ts";
import { type Params, parameterNames, type UnknownParameters } from "./parameters.ts";
import { PreparedRows } from "./prepared-rows.ts";
import type { PreparedRunner } from "./prepared-runner.ts";
import { type BuiltSelect, PreparedSelect, SelectTemplates } from "./prepared-select.ts";
import { Template } from "./template.ts";

/** A select of entities, as far as it matters here. */
interface EntityStatement<E> {
  all(): Promise<E[]>;
  toOperationNode(): SelectQueryNode;
}

/** A statement of Kysely's, as far as it matters here. */
interface RowStatement extends Compilable {
  toOperationNode(): RootOperationNode;
}

/** What can be prepared: a select of entities, or a statement of Kysely's. */
export type Preparable = EntityStatement<unknown> | RowStatement;

/** What `db.prepare` makes of a statement. */
export type Prepared<S extends Preparable, P extends object> =
  S extends EntityStatement<infer E>
    ? PreparedSelect<E, P>
    : S extends RowStatement
      ? PreparedRows<Item<InferResult<S>>, P>
      : never;

type Item<R> = R extends readonly (infer I)[] ? I : R;

/** Builds a statement out of parameters; `qb` begins Kysely's statements without a session. */
export type StatementBuilder<S extends Preparable, P extends object> = (p: Params<P>, qb: KyselyForm) => S;

/** A prepared statement that is run by whatever session `runner` finds. */
export function prepare<S extends Preparable, P extends object = UnknownParameters>(
  build: StatementBuilder<S, P>,
  runner: () => PreparedRunner,
): Prepared<S, P> {
  // The parameters' names are checked by the type that the caller gave them; what is made is what the statement's says.
  return prepared<P>(build as unknown as StatementBuilder<Preparable, UnknownParameters>, runner) as Prepared<S, P>;
}

function prepared<P extends object>(
  build: StatementBuilder<Preparable, UnknownParameters>,
  runner: () => PreparedRunner,
): PreparedSelect<unknown, P> | PreparedRows<unknown, P> {
  const qb = kyselyForm(NOOP_QUERY_EXECUTOR);
  const built = () => {
    const { p, names } = parameterNames();
    return { statement: build(p, qb) as unknown, names };
  };
  const first = built();
  if (first.statement instanceof Select) {
    return new PreparedSelect(new SelectTemplates(requireSelect(first), () => requireSelect(built())), runner);
  }
  if (isBuilder(first.statement)) {
    return new PreparedRows(new Template(first.statement.toOperationNode(), first.names), runner);
  }
  throw new InvalidValueError(
    "db.prepare takes a function that returns a select of entities or a statement of Kysely's.",
  );
}

function requireSelect({
  statement,
  names,
}: {
  readonly statement: unknown;
  readonly names: ReadonlySet<string>;
}): BuiltSelect {
  if (!(statement instanceof Select))
    throw new InvalidValueError("A function for db.prepare returns the same kind of statement whenever it is called.");
  return { statement: statement.statement, names };
}

function isBuilder(statement: unknown): statement is RowStatement {
  return typeof statement === "object" && statement !== null && "toOperationNode" in statement;
}
