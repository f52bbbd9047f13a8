import {
  AddConstraintNode,
  AlterTableNode,
  CheckConstraintNode,
  ColumnNode,
  type ConstraintNode,
  CreateTableNode,
  ForeignKeyConstraintNode,
  PrimaryKeyConstraintNode,
  RawNode,
  type RootOperationNode,
  sql,
  TableNode,
  UniqueConstraintNode,
  ValueNode,
} from "kysely";
import type { Engine } from "../engine/engine.ts";
import type { UniqueConstraint } from "../schema/constraint.ts";
import { ConstraintNames } from "../schema/constraint-names.ts";
import type { ForeignKey, TableDirectory } from "../schema/foreign-key.ts";
import type { AnyTable } from "../schema/table.ts";
import type { TableColumn } from "../schema/table-column.ts";
import type { BindTarget } from "./bind-target.ts";
import { columnDefinition } from "./column-definition.ts";
import { inlineLiterals } from "./inline-literals.ts";

const ASCII = /^\p{ASCII}*$/u;

/** Writes the statements that make the tables of one bind. */
export class TableStatements {
  readonly #engine: Engine;
  readonly #names: ConstraintNames;
  readonly #directory: TableDirectory;

  constructor({ engine, metadata }: BindTarget, directory: TableDirectory) {
    this.#engine = engine;
    this.#names = new ConstraintNames(metadata);
    this.#directory = directory;
  }

  /** Makes a table with all its constraints but the foreign keys in `later`. */
  createTable(table: AnyTable, later: ReadonlySet<ForeignKey>): RootOperationNode {
    return this.#inCharacterSet({
      ...CreateTableNode.create(table.node),
      columns: table.columnList.map((column) => this.#column(column, table)),
      constraints: [
        ...this.#primaryKey(table),
        ...table.uniques.map((constraint) => this.#unique(table, constraint)),
        ...table.foreignKeys.filter((key) => !later.has(key)).map((key) => this.#foreignKey(table, key)),
        ...table.columnList.flatMap((column) => this.#enumeration(column, table)),
        ...table.checks.map((check) =>
          CheckConstraintNode.create(
            RawNode.createWithSql(this.#condition(inlineLiterals(check.expression, table, this.#engine), table)),
            this.#names.check(table, check),
          ),
        ),
      ],
    });
  }

  /** Only text beyond ASCII can be lost, so other tables keep the character set of their database. */
  #inCharacterSet(node: CreateTableNode): CreateTableNode {
    const { tableCharacterSet } = this.#engine.family.ddl;
    if (tableCharacterSet === undefined || ASCII.test(this.#engine.compileQuery(node).sql)) return node;
    return { ...node, endModifiers: [RawNode.createWithSql(tableCharacterSet)] };
  }

  #condition(condition: string, table: AnyTable): string {
    const { checkCondition } = this.#engine.family.ddl;
    return checkCondition === undefined ? condition : checkCondition(condition, table);
  }

  /** Makes the indexes of a table. */
  createIndexes(table: AnyTable): RootOperationNode[] {
    const inFile = this.#engine.family.ddl.schemasAreFiles && table.schema !== undefined ? table.schema : undefined;
    const texts = table.indexTexts.map((text) => sql.raw(text).toOperationNode());
    const described = table.indexes.map((definition) => {
      const columns = namesOf(table, definition.columns);
      const index = this.#names.index(table, definition);
      const verb = sql.raw(definition.unique ? "create unique index" : "create index");
      const indexName = inFile === undefined ? sql.id(index) : sql.id(inFile, index);
      const on =
        inFile === undefined && table.schema !== undefined
          ? sql.id(table.schema, table.tableName)
          : sql.id(table.tableName);
      return sql`${verb} ${indexName} on ${on} (${sql.join(columns.map((column) => sql.id(column)))})`.toOperationNode();
    });
    return [...described, ...texts];
  }

  /** Adds a foreign key to a table that is there. */
  addForeignKey(table: AnyTable, key: ForeignKey): RootOperationNode {
    return AlterTableNode.cloneWithTableProps(AlterTableNode.create(table.node), {
      addConstraint: AddConstraintNode.create(this.#foreignKey(table, key)),
    });
  }

  #column(column: TableColumn, table: AnyTable) {
    const definition = columnDefinition(column, table, this.#engine);
    const { ddl } = this.#engine.family;
    const isNumbered = column.definition.automatic === true && !ddl.generatedKeyIsPrimary;
    if (column !== table.generatedKey && !isNumbered) return definition;
    return ddl.generateKey(column, definition, this.#names.primaryKey(table));
  }

  #primaryKey(table: AnyTable): ConstraintNode[] {
    const columns = table.primaryKey.map(({ name }) => name);
    const said = table.generatedKey !== undefined && this.#engine.family.ddl.generatedKeyIsPrimary;
    if (said || columns.length === 0) return [];
    return [PrimaryKeyConstraintNode.create(columns, this.#names.primaryKey(table))];
  }

  #unique(table: AnyTable, constraint: UniqueConstraint): ConstraintNode {
    return UniqueConstraintNode.create(
      namesOf(table, constraint.columns).map((column) => ColumnNode.create(column)),
      this.#names.unique(table, constraint),
    );
  }

  #enumeration(column: TableColumn, table: AnyTable): ConstraintNode[] {
    const { kind, values } = column.definition.type;
    if (kind !== "enumeration" || values === undefined) return [];
    const list = RawNode.create(
      ["", " in (", ...values.slice(1).map(() => ", "), ")"],
      [ColumnNode.create(column.name), ...values.map((value) => ValueNode.createImmediate(value))],
    );
    return [CheckConstraintNode.create(list, this.#names.enumeration(table, column))];
  }

  #foreignKey(table: AnyTable, key: ForeignKey): ForeignKeyConstraintNode {
    const target = key.resolve(this.#directory);
    const targetColumns = target.columns.map(({ name }) => name);
    const { schemasAreFiles } = this.#engine.family.ddl;
    const node = ForeignKeyConstraintNode.create(
      key.columns.map(({ name }) => ColumnNode.create(name)),
      schemasAreFiles ? TableNode.create(target.table.tableName) : target.table.node,
      targetColumns.map((column) => ColumnNode.create(column)),
      this.#names.foreignKey(table, key),
    );
    return ForeignKeyConstraintNode.cloneWith(node, {
      ...(key.onDelete === undefined ? {} : { onDelete: key.onDelete }),
      ...(key.onUpdate === undefined ? {} : { onUpdate: key.onUpdate }),
    });
  }
}

function namesOf(table: AnyTable, properties: readonly string[]): string[] {
  // The table has checked that its constraints name columns of its own.
  return properties.map((property) => table.findColumn(property)!.name);
}
