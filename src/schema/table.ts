import { inspect } from "node:util";
import {
  type AliasedExpression,
  AliasNode,
  type Expression,
  IdentifierNode,
  type OperationNode,
  TableNode,
} from "kysely";
import { type BindKey, bindLabel } from "../bind-key.ts";
import type { Columns } from "./column.ts";
import type { CheckConstraint, Constraint, Index, UniqueConstraint } from "./constraint.ts";
import type { ForeignKey } from "./foreign-key.ts";
import { markCopy, sharedByCopies } from "./package-copy.ts";
import type { KyselyRow } from "./row.ts";
import type { TableColumn, TableOwner } from "./table-column.ts";
import { type ColumnNaming, TableParts } from "./table-parts.ts";

/** What may be said of a table beyond its columns. */
export interface TableOptions<P extends string = string> {
  /** The schema (PostgreSQL) or database (MySQL, MariaDB) that the table is in, instead of the connection's own. */
  readonly schema?: string;
  /** Constraints and indexes over several columns. */
  readonly constraints?: readonly Constraint<P>[];
}

/** Everything that makes a table. */
export interface TableDefinition<C extends Columns, N extends string, K extends BindKey> extends TableOptions {
  readonly owner: TableOwner;
  readonly name: N;
  readonly bindKey: K;
  readonly columns: C;
  readonly columnName?: ColumnNaming;
  /** The statements that make indexes which only the database can describe. */
  readonly indexTexts?: readonly string[];
  /** The names of the key's columns, where their order in the key is not that of the definition. */
  readonly keyOrder?: readonly string[];
}

/** Which table a node of a statement's tree stands for. Trees are immutable and share their nodes. */
const tables: WeakMap<OperationNode, AnyTable> = sharedByCopies("multibind.tables", () => new WeakMap());

/** The table whose node this is; a node that was only named by a string belongs to none. */
export function tableOfNode(node: OperationNode): AnyTable | undefined {
  return tables.get(node);
}

/** Marks a node that stands for the rows of a table: SQL text that returns them. */
export function standForTable(node: OperationNode, table: AnyTable): void {
  tables.set(node, table);
}

const sameName: ColumnNaming = (property) => property;

/**
 * The description of a table of one bind: a value, no I/O. Made by `db.table` and `db.model`.
 *
 * It is a Kysely table expression, so it may stand wherever Kysely takes a table.
 *
 * @typeParam C its columns by property
 * @typeParam N its name
 * @typeParam K its bind key
 *
 * @see SQLAlchemy: `Table`; Flask-SQLAlchemy: `db.Table(…, bind_key=…)`
 */
export class Table<C extends Columns = Columns, N extends string = string, K extends BindKey = BindKey>
  implements AliasedExpression<KyselyRow<C>, N>
{
  /** @internal the `Multibind` object that the table was defined with */
  readonly owner: TableOwner;
  /** The bind that the table belongs to, fixed for good. */
  readonly bindKey: K;
  /** The schema that the table is in, where it is not the connection's own. */
  readonly schema: string | undefined;
  /** The table's name in statements: its own, or an alias. */
  readonly alias: N;
  readonly #name: string;
  readonly #node: TableNode;
  readonly #parts: TableParts;

  /** @internal use `db.table` or `db.model` */
  constructor(definition: TableDefinition<C, N, K>, original?: Table<C, string, K>) {
    this.owner = definition.owner;
    this.bindKey = definition.bindKey;
    this.schema = definition.schema;
    this.alias = definition.name;
    if (original !== undefined) {
      this.#name = original.#name;
      this.#node = original.#node;
      this.#parts = original.#parts;
      // Routing goes by the bind key: it can never change.
      Object.freeze(this);
      return;
    }
    const { name, schema, columns, constraints = [], columnName = sameName, keyOrder, indexTexts = [] } = definition;
    this.#name = name;
    this.#node = schema === undefined ? TableNode.create(name) : TableNode.createWithSchema(schema, name);
    this.#parts = new TableParts(
      Object.freeze({ owner: this.owner, name, fullName: this.fullName, bindKey: this.bindKey }),
      this.label,
    );
    this.#parts.addColumns(columns, columnName);
    this.#parts.addConstraints(constraints);
    this.#parts.indexTexts.push(...indexTexts);
    if (keyOrder !== undefined) this.#parts.orderKey(keyOrder);
    tables.set(this.#node, this as unknown as AnyTable);
    Object.freeze(this);
  }

  /** The table's name in its database. */
  get tableName(): string {
    return this.#name;
  }

  /** The name with the schema in front, where there is one: how metadata knows the table. */
  get fullName(): string {
    return this.schema === undefined ? this.#name : `${this.schema}.${this.#name}`;
  }

  /** The table and its bind, as messages write them. */
  get label(): string {
    return `"${this.fullName}" (${bindLabel(this.bindKey)})`;
  }

  /** The columns by their property names. */
  get columns(): C & Readonly<Record<keyof C, TableColumn>> {
    // The parts were made of a value of type C and hold a bound column for each of its properties.
    return this.#parts.columns as unknown as C & Record<keyof C, TableColumn>;
  }

  /** The columns in the order of definition. */
  get columnList(): readonly TableColumn[] {
    return Object.values(this.#parts.columns);
  }

  /** The columns of the primary key, in the key's own order. */
  get primaryKey(): readonly TableColumn[] {
    return this.#parts.primaryKey;
  }

  /** The column whose values the database generates: a sole integer or bigint key without default or reference. */
  get generatedKey(): TableColumn | undefined {
    const [key, ...others] = this.#parts.primaryKey;
    if (key === undefined || others.length > 0) return undefined;
    const { type, default: made, serverDefault, reference, automatic } = key.definition;
    if (automatic === false) return undefined;
    const counts = type.kind === "integer" || type.kind === "bigint";
    return counts && made === undefined && serverDefault === undefined && reference === undefined ? key : undefined;
  }

  /** The references to tables of the same bind. */
  get foreignKeys(): readonly ForeignKey[] {
    return this.#parts.foreignKeys;
  }

  /** Unique constraints. */
  get uniques(): readonly UniqueConstraint[] {
    return this.#parts.uniques;
  }

  /** Indexes. */
  get indexes(): readonly Index[] {
    return this.#parts.indexes;
  }

  /** @internal the statements that make indexes which only the database can describe */
  get indexTexts(): readonly string[] {
    return this.#parts.indexTexts;
  }

  /** Check constraints. */
  get checks(): readonly CheckConstraint[] {
    return this.#parts.checks;
  }

  /** The column of this name in the database. */
  columnNamed(name: string): TableColumn | undefined {
    return this.#parts.byName.get(name);
  }

  /** The column that a reference such as `"user.id"` means: by property, else by name in the database. */
  findColumn(name: string): TableColumn | undefined {
    return this.#parts.find(name);
  }

  /** The same table under another name, for a statement that names it twice. */
  as<A extends string>(alias: A): Table<C, A, K> {
    const { owner, bindKey, schema, columns } = this;
    const definition = {
      owner,
      name: alias,
      bindKey,
      columns: columns as C,
      ...(schema === undefined ? {} : { schema }),
    };
    return new Table<C, A, K>(definition, this as unknown as Table<C, string, K>);
  }

  /** The table, its bind and the names of its columns. */
  toString(): string {
    return `Table(${this.label}: ${this.columnList.map(({ name }) => name).join(", ")})`;
  }

  /** The same as {@link toString}, for `console.log`. */
  [inspect.custom](): string {
    return this.toString();
  }

  /** Part of Kysely's table expression. */
  get expression(): Expression<KyselyRow<C>> {
    return { expressionType: undefined, toOperationNode: () => this.#node };
  }

  /** Part of Kysely's table expression. */
  toOperationNode(): AliasNode {
    if (this.alias !== this.#name) return AliasNode.create(this.#node, IdentifierNode.create(this.alias));
    // Kysely's interface wants an alias; its parsers take the bare table, which makes the plainer SQL.
    return this.#node as OperationNode as AliasNode;
  }

  /** @internal the node that stands for this table in a statement's tree, the same for all its aliases */
  get node(): TableNode {
    return this.#node;
  }

  /** @internal adds the columns of a child that lives in this table; they take null, for the rows of its relatives */
  grow(columns: Columns, naming: ColumnNaming = sameName): TableColumn[] {
    const nullable = Object.entries(columns).map(([property, column]) => [property, column.nullable()] as const);
    return this.#parts.addColumns(Object.fromEntries(nullable), naming);
  }
}

markCopy(Table.prototype);

/** Any table, whatever its columns, name and bind. */
// biome-ignore lint/suspicious/noExplicitAny: columns appear in and out of a table's type, so only `any` fits every one
export type AnyTable = Table<any, string, BindKey>;
