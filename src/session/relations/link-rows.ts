import { ColumnNode, FromNode, ReferenceNode, type SelectQueryNode, TableNode, WhereNode } from "kysely";
import type { Engine } from "../../engine/engine.ts";
import type { KeyColumn, KeyList } from "../../engine/key-lists.ts";
import type { RelationLink } from "../../model/relations/relation.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { KeyedStatement, selected } from "./keyed-statement.ts";

/** The rows of a table that links two sides, read by the keys of one: each gives the key of the other. */
export class LinkRows extends KeyedStatement {
  readonly #link: RelationLink;
  protected readonly keyNames: readonly string[];
  readonly #otherNames: readonly string[];

  constructor(link: RelationLink, engine: Engine) {
    super(
      engine,
      link.from.map(({ column }): KeyColumn => {
        const { table } = link;
        return {
          converter: engine.converter(column),
          reference: reference(table, column.property),
          table: table.node,
        };
      }),
    );
    this.#link = link;
    this.keyNames = link.from.map((_, part) => `key:${part}`);
    this.#otherNames = link.to.map((_, part) => `other:${part}`);
  }

  /** The key of the other side in a row. */
  otherKey(row: DriverRow): readonly unknown[] {
    return this.#link.to.map(({ column }, part) => this.engine.converter(column).read(row[this.#otherNames[part]!]));
  }

  protected override nodeWith(list: KeyList): SelectQueryNode {
    const { table, from, to } = this.#link;
    const columns = [...(this.tellsPosition ? [] : from), ...to];
    const names = [...(this.tellsPosition ? [] : this.keyNames), ...this.#otherNames];
    return {
      kind: "SelectQueryNode",
      from: FromNode.create([...(list.source === undefined ? [] : [list.source]), table.node]),
      selections: [
        ...columns.map(({ column }, index) => selected(reference(table, column.property), names[index]!)),
        ...this.positionOf(list),
      ],
      where: WhereNode.create(list.condition),
    };
  }
}

function reference({ schema, tableName }: AnyTable, property: string): ReferenceNode {
  const table = schema === undefined ? TableNode.create(tableName) : TableNode.createWithSchema(schema, tableName);
  return ReferenceNode.create(ColumnNode.create(property), table);
}
