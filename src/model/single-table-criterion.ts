import {
  BinaryOperationNode,
  ColumnNode,
  ExpressionWrapper,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  ReferenceNode,
  type SqlBool,
  TableNode,
} from "kysely";
import { UnsupportedError } from "../errors/configuration.ts";
import { AliasedModel } from "./aliased-model.ts";
import { MAPPER } from "./entity.ts";
import type { Mapper } from "./mapper.ts";

/** What keeps a model in its parent's table to its own rows and its children's; undefined for one with a table. */
export function singleTableCriterion(mapper: Mapper, alias: string): OperationNode | undefined {
  const { parent, discriminator } = mapper;
  if (parent === undefined || discriminator === undefined || parent.table !== mapper.table) return undefined;
  const identities = [...mapper.family()].map((relative) => relative.identity);
  return BinaryOperationNode.create(
    ReferenceNode.create(ColumnNode.create(discriminator), TableNode.create(alias)),
    OperatorNode.create("in"),
    PrimitiveValueListNode.create(identities),
  );
}

/** A builder of Kysely's that takes conditions. */
interface Conditional {
  where(condition: ExpressionWrapper<never, never, SqlBool>): unknown;
}

/**
 * Keeps a statement of Kysely's form to the rows of the models that it begins with: to delete one kind of vehicle must
 * not delete the others of their common table.
 *
 * @param from what the statement begins with: a model or anything else, or a list
 * @throws {UnsupportedError} if the rows cannot be told apart by their table alone
 */
export function withSingleTableCriterion(builder: unknown, from: unknown): unknown {
  let kept = builder;
  for (const one of Array.isArray(from) ? from : [from]) {
    const named = namedMapper(one);
    const condition = named && singleTableCriterion(named.mapper, named.alias);
    if (named === undefined || condition === undefined) continue;
    requireDiscriminatorOfTable(named.mapper);
    // What begins with a table takes conditions.
    kept = (kept as Conditional).where(new ExpressionWrapper(condition));
  }
  return kept;
}

/** The mapper of a model and the name that it has in the statement. */
function namedMapper(one: unknown): { readonly mapper: Mapper; readonly alias: string } | undefined {
  if (one instanceof AliasedModel) return one;
  const mapper = typeof one === "function" ? (one as { readonly [MAPPER]?: Mapper })[MAPPER] : undefined;
  return mapper && { mapper, alias: mapper.table.tableName };
}

function requireDiscriminatorOfTable({ table, discriminator, label }: Mapper): void {
  if (Object.hasOwn(table.columns, discriminator!)) return;
  throw new UnsupportedError(
    `The rows of ${label} share the table "${table.fullName}" with others, and "${discriminator}", which tells them apart, is in another. ` +
      "Read them with `select(Model)`, or give the table itself with a condition.",
    { bindKey: table.bindKey },
  );
}
