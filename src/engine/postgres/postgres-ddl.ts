import { ColumnDefinitionNode, GeneratedNode, sql } from "kysely";
import type { FamilyDdl } from "../family-ddl.ts";
import { forwardKeys } from "../reflection/forward-keys.ts";
import { findPostgresTables, foreignPostgresReference, postgresForeignKeys } from "./postgres-catalog.ts";

/** How PostgreSQL makes and drops tables. */
export const postgresDdl: FamilyDdl = {
  findTables: findPostgresTables,
  generateKey: (_column, definition) =>
    ColumnDefinitionNode.cloneWith(definition, {
      generated: GeneratedNode.create({ identity: true, byDefault: true }),
    }),
  generatedKeyIsPrimary: false,
  defaultValue: (_column, expression) => `(${expression})`,
  generatedNotNull: true,
  binaryLiteral: (hex) => `'\\x${hex}'::bytea`,
  addsForeignKeys: true,
  schemasAreFiles: false,
  foreignReference: foreignPostgresReference,
  async beforeDrop({ tables, circular }, run) {
    if (!circular) return [];
    const keys = forwardKeys(tables, await postgresForeignKeys(tables, run));
    return keys.map(
      ({ schema, table, name }) => sql`alter table ${sql.id(schema, table)} drop constraint ${sql.id(name)}`,
    );
  },
};
