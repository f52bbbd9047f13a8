import {
  AliasNode,
  ColumnNode,
  DefaultInsertValueNode,
  IdentifierNode,
  type InsertQueryNode,
  type OperationNode,
  PrimitiveValueListNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { ColumnConverter } from "../values/column-converter.ts";
import { translateWritten } from "./calculations.ts";
import { requireColumn } from "./known-columns.ts";
import { mapList } from "./nodes.ts";
import { databaseColumn, type Relation } from "./relation.ts";
import type { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import { requireSharable, selectsOneRow } from "./shared-values.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates the columns and rows of an insert. Columns with a default in the application, which the statement does not
 * list, are added.
 *
 * @param target the table, if it is known
 * @param scope the one that the rows stand in
 * @param isRowEach whether each row of values that the statement lists is one row of the table; in a merge it is many
 * @throws {UnsupportedError} if rows would share what a function makes for one of them, the database cannot be told to use its own default, or the rows cannot be added to
 */
export function translateInsertedRows(
  translator: Translator,
  node: InsertQueryNode,
  target: Relation | undefined,
  scope: Scope,
  isRowEach = true,
): InsertQueryNode {
  if (node.columns === undefined && node.defaultValues !== true) {
    // The columns are all those of the table, in an order that only the database knows.
    const values = node.values === undefined ? undefined : translator.translate(node.values, scope);
    return values === node.values || values === undefined ? node : Object.freeze({ ...node, values });
  }
  return new InsertedRows(translator, node, target, scope, isRowEach).translate();
}

class InsertedRows {
  readonly #translator: Translator;
  readonly #node: InsertQueryNode;
  readonly #scope: Scope;
  readonly #table: AnyTable | undefined;
  /** The columns that the statement lists, under their names in the database. */
  readonly #columns: readonly ColumnNode[];
  readonly #listed: readonly (ColumnConverter | undefined)[];
  /** The columns that are added. */
  readonly #added: readonly TableColumn[];

  /** Whether what a function makes goes into one row. */
  readonly #isRowEach: boolean;

  constructor(
    translator: Translator,
    node: InsertQueryNode,
    target: Relation | undefined,
    scope: Scope,
    isRowEach: boolean,
  ) {
    this.#translator = translator;
    this.#node = node;
    this.#scope = scope;
    const { values } = node;
    this.#isRowEach = isRowEach && (values === undefined || !SelectQueryNode.is(values) || selectsOneRow(values));
    this.#table = target?.table;
    const { columns = [] } = node;
    for (const { column } of columns) requireColumn(translator.engine, target, column.name);
    this.#columns = mapList(columns, (column) => databaseColumn(column, target));
    this.#listed = columns.map((column) => target?.converter(column.column.name));
    const given = new Set(this.#listed.map((converter) => converter?.column));
    this.#added = (this.#table?.columnList ?? []).filter(
      (column) => column.definition.default !== undefined && !given.has(column),
    );
  }

  translate(): InsertQueryNode {
    const { columns, values, defaultValues, ...others } = this.#node;
    if (defaultValues === true) {
      if (this.#added.length === 0) return this.#node;
      const row = PrimitiveValueListNode.create(this.#added.map((column) => this.#default(column)));
      return Object.freeze({ ...others, columns: this.#allColumns(), values: ValuesNode.create([row]) });
    }
    if (columns?.length === 0 && this.#added.length === 0) return this.#withSomeColumn();
    const translated = values === undefined ? undefined : this.#rows(values);
    if (translated === undefined || (translated === values && this.#columns === columns)) return this.#node;
    return Object.freeze({ ...this.#node, columns: this.#allColumns(), values: translated });
  }

  /** `() values ()` is SQL on MySQL and MariaDB only; a column that says `default` is everywhere. */
  #withSomeColumn(): InsertQueryNode {
    const { values } = this.#node;
    const column = this.#table?.generatedKey ?? this.#table?.columnList.find(isNullUnlessGiven);
    if (column === undefined || values?.kind !== "ValuesNode") return this.#node;
    const row = ValueListNode.create([DefaultInsertValueNode.create()]);
    // The kind says so.
    const rows = (values as ValuesNode).values.map(() => row);
    this.#translator.countList(rows.length, 1);
    return Object.freeze({
      ...this.#node,
      columns: [ColumnNode.create(column.name)],
      values: ValuesNode.create(rows),
    });
  }

  #rows(values: OperationNode): OperationNode {
    if (values.kind === "ValuesNode") {
      // The kind says so.
      const rows = (values as ValuesNode).values;
      this.#translator.countList(rows.length, 1);
      const translated = mapList(rows, (row) =>
        row.kind === "ValueListNode" ? this.#valueList(row) : this.#primitiveList(row),
      );
      return translated === rows ? values : ValuesNode.create(translated);
    }
    if (SelectQueryNode.is(values)) return this.#select(values);
    if (this.#added.length > 0) throw this.#cannotAdd("rows that are not selected by a plain query");
    return this.#translator.translate(values, this.#scope);
  }

  #primitiveList(row: PrimitiveValueListNode): PrimitiveValueListNode {
    const values = mapList(row.values, (value, index) => this.#translator.parameter(value, this.#listed[index]));
    if (values === row.values && this.#added.length === 0) return row;
    return PrimitiveValueListNode.create([...values, ...this.#added.map((column) => this.#default(column))]);
  }

  #valueList(row: ValueListNode): ValueListNode {
    const values = mapList(row.values, (value, index) => {
      const converter = this.#listed[index];
      return DefaultInsertValueNode.is(value)
        ? this.#leftOut(value, converter?.column)
        : translateWritten(this.#translator, value, this.#scope, converter);
    });
    if (values === row.values && this.#added.length === 0) return row;
    return ValueListNode.create([...values, ...this.#added.map((column) => ValueNode.create(this.#default(column)))]);
  }

  #select(query: SelectQueryNode): SelectQueryNode {
    if (query.setOperations !== undefined && this.#added.length > 0)
      throw this.#cannotAdd("the rows of a set operation");
    const { resolver } = this.#translator;
    const translated = translateSelect(this.#translator, query, resolver.open(query, this.#scope), {
      opposites: this.#listed,
    });
    if (this.#added.length === 0) return translated;
    const added = this.#added.map((column) =>
      SelectionNode.create(
        AliasNode.create(ValueNode.create(this.#default(column)), IdentifierNode.create(column.name)),
      ),
    );
    return SelectQueryNode.cloneWithSelections(isDistinct(query) ? allRowsOf(translated) : translated, added);
  }

  /** Value of a column in rows that leave it out while other rows contain it. */
  #leftOut(node: DefaultInsertValueNode, column: TableColumn | undefined): OperationNode {
    if (column === undefined) return node;
    if (column.definition.default !== undefined) return ValueNode.create(this.#default(column));
    const { family, bindKey } = this.#translator.engine;
    if (column.definition.serverDefault === undefined || family.supportsDefaultKeyword) return node;
    throw new UnsupportedError(
      `A row of the insert leaves out column "${column.table.fullName}.${column.property}" (${bindLabel(bindKey)}), and other rows do not. ` +
        `The column has a default in the database, which ${family.label} cannot be told to use for some rows of several: ` +
        "give the value in each row, or insert the rows one by one.",
      { bindKey },
    );
  }

  /** Evaluates a column's default for one row. */
  #default(column: TableColumn): unknown {
    const make = column.definition.default!;
    if (!this.#isRowEach) requireSharable(this.#translator.engine, column, make, "inserts");
    return this.#translator.made(column, make);
  }

  #allColumns(): readonly ColumnNode[] {
    if (this.#added.length === 0) return this.#columns;
    return Object.freeze([...this.#columns, ...this.#added.map(({ name }) => ColumnNode.create(name))]);
  }

  #cannotAdd(rows: string): UnsupportedError {
    const { bindKey } = this.#translator.engine;
    const columns = this.#added.map(({ property }) => `"${property}"`).join(", ");
    return new UnsupportedError(
      `The insert into "${this.#table?.fullName}" (${bindLabel(bindKey)}) leaves out columns with a default, which cannot be added to ${rows}: ` +
        `list ${columns} in the insert, and give their values in the rows.`,
      { bindKey },
    );
  }
}

function isNullUnlessGiven({ definition }: TableColumn): boolean {
  return definition.nullable === true && definition.serverDefault === undefined && definition.generated === undefined;
}

function isDistinct({ distinctOn, frontModifiers = [] }: SelectQueryNode): boolean {
  return distinctOn !== undefined || frontModifiers.some(({ modifier }) => modifier === "Distinct");
}

/** A query around another: PostgreSQL takes a value that is selected beside distinct ones for text. */
function allRowsOf(query: SelectQueryNode): SelectQueryNode {
  const rows = SelectQueryNode.createFrom([AliasNode.create(query, IdentifierNode.create("rows"))]);
  return SelectQueryNode.cloneWithSelections(rows, [SelectionNode.createSelectAllFromTable(TableNode.create("rows"))]);
}
