import { AliasNode, IdentifierNode, type OperationNode, SelectionNode, type SelectQueryNode } from "kysely";
import type { Engine } from "../../engine/engine.ts";
import type { Key, KeyColumn, KeyList } from "../../engine/key-lists.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import { Template } from "../../query/prepared/template.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { KeySet } from "./key-set.ts";

/** A statement for some keys, compiled once for each application. */
export interface KeyedTemplate {
  readonly template: Template;
  readonly list: KeyList;
}

const POSITION = "key:position";

/** The statements that read rows by keys on one engine. They are made when first needed. */
export abstract class KeyedStatement {
  readonly engine: Engine;
  /** The columns that hold the keys. */
  readonly columns: readonly TableColumn[];
  /** Whether each row has to say which key found it: its own values may differ from the key's. */
  readonly tellsPosition: boolean;
  readonly #keyColumns: readonly KeyColumn[];
  readonly #templates = new Map<string, KeyedTemplate>();

  constructor(engine: Engine, keyColumns: readonly KeyColumn[]) {
    this.engine = engine;
    this.#keyColumns = keyColumns;
    this.columns = keyColumns.map(({ converter }) => converter.column);
    const { isExact } = engine.family.keyLists;
    this.tellsPosition = !this.columns.every(({ definition }) => isExact(definition.type.kind));
  }

  /** The columns of the rows that hold the key, where they do not tell its position. */
  protected abstract readonly keyNames: readonly string[];

  /** The statement that finds rows by a list of keys. */
  protected abstract nodeWith(list: KeyList): SelectQueryNode;

  /** The statement for some keys. */
  templateFor(keys: readonly Key[]): KeyedTemplate {
    const { keyLists } = this.engine.family;
    const form = keyLists.formOf(keys);
    let known = this.#templates.get(form);
    if (known === undefined) {
      const list = keyLists.list(this.#keyColumns, form, this.tellsPosition);
      // The list names the parameters itself, so none is unknown.
      known = { template: new Template(this.nodeWith(list), new Set()), list };
      this.#templates.set(form, known);
    }
    return known;
  }

  /** The most keys that the database takes in one statement. */
  get mostKeys(): number {
    return this.engine.family.keyLists.mostKeys?.(this.columns.length) ?? Number.POSITIVE_INFINITY;
  }

  /** Whether what it reads is read otherwise by now. */
  get isOutdated(): boolean {
    return false;
  }

  /** Makes the function that finds the position of the key that found a row. */
  positionReader(keys: KeySet, offset: number): (row: DriverRow) => number {
    if (this.tellsPosition) return (row) => offset + Number(row[POSITION]);
    const { keyNames } = this;
    const converters = this.columns.map((column) => this.engine.converter(column));
    // The values of such columns are equal in the database only if they are equal here.
    const [first, ...others] = converters as [ColumnConverter, ...ColumnConverter[]];
    const name = keyNames[0]!;
    if (others.length === 0) return (row) => keys.positionOfPart(first.read(row[name]))!;
    return (row) => keys.positionOf(converters.map((converter, part) => converter.read(row[keyNames[part]!])))!;
  }

  /** The selection that tells the position of a key; none where the rows' own values do. */
  protected positionOf({ position }: KeyList): readonly SelectionNode[] {
    return position === undefined ? [] : [selected(position, POSITION)];
  }
}

/** A selection under a name. */
export function selected(node: OperationNode, name: string): SelectionNode {
  return SelectionNode.create(AliasNode.create(node, IdentifierNode.create(name)));
}
