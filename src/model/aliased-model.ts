import type { AliasedExpression, AliasNode, Expression } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { Columns } from "../schema/column.ts";
import { markCopy } from "../schema/package-copy.ts";
import type { KyselyRow } from "../schema/row.ts";
import type { AnyTable, Table } from "../schema/table.ts";
import type { Mapper } from "./mapper.ts";

/**
 * A model under another name, for a statement that names it twice. Made by `alias(Model, name)`, or `Model.as(name)`.
 *
 * @typeParam E its entities
 * @typeParam C the columns of its entities
 * @typeParam N the other name
 * @typeParam K its bind key
 * @typeParam T the columns of its table: of a joined child, only the child's own
 */
export class AliasedModel<E, C extends Columns, N extends string, K extends BindKey, T extends Columns = C>
  implements AliasedExpression<KyselyRow<T>, N>
{
  /** For types only: what its entities are. */
  declare readonly $entity?: E;
  /** For types only: the columns of its entities. */
  declare readonly $columns?: C;
  /** The model's name in statements. */
  readonly alias: N;
  /** The model's table under that name. */
  readonly table: Table<T, N, K>;
  /** @internal */
  readonly mapper: Mapper;

  /** @internal use `alias(Model, name)` */
  constructor(mapper: Mapper, alias: N) {
    this.mapper = mapper;
    this.alias = alias;
    const { table }: { readonly table: AnyTable } = mapper;
    // The mapper's table is the one whose columns the model's type tells.
    this.table = table.as(alias) as unknown as Table<T, N, K>;
  }

  /** The bind that the model belongs to. */
  get bindKey(): K {
    return this.table.bindKey;
  }

  /** Part of Kysely's table expression. */
  get expression(): Expression<KyselyRow<T>> {
    return this.table.expression;
  }

  /** Part of Kysely's table expression. */
  toOperationNode(): AliasNode {
    return this.table.toOperationNode();
  }
}

markCopy(AliasedModel.prototype);
