import { ColumnDefinitionNode, DefaultValueNode, GeneratedNode, RawNode } from "kysely";
import type { Engine } from "../engine/engine.ts";
import type { AnyTable } from "../schema/table.ts";
import type { TableColumn } from "../schema/table-column.ts";
import { inlineLiterals } from "./inline-literals.ts";

/** A column as `create table` defines it, without its constraints. */
export function columnDefinition(column: TableColumn, table: AnyTable, engine: Engine): ColumnDefinitionNode {
  const { columnType, ddl } = engine.family;
  const { nullable, primaryKey, serverDefault, generated } = column.definition;
  const type = columnType(column, column === table.generatedKey);
  const definition = ColumnDefinitionNode.create(column.name, RawNode.createWithSql(type));
  const notNull = nullable !== true || primaryKey === true;
  if (generated !== undefined) {
    const computed = GeneratedNode.createWithExpression(RawNode.createWithSql(generated.expression));
    return ColumnDefinitionNode.cloneWith(definition, {
      generated: GeneratedNode.cloneWith(computed, { stored: generated.stored }),
      notNull: notNull && ddl.generatedNotNull,
    });
  }
  if (serverDefault === undefined) return ColumnDefinitionNode.cloneWith(definition, { notNull });
  const value = ddl.defaultValue(column, inlineLiterals(serverDefault, table, engine));
  return ColumnDefinitionNode.cloneWith(definition, {
    defaultTo: DefaultValueNode.create(RawNode.createWithSql(value)),
    notNull,
  });
}
