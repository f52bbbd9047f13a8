import { requireTableNames } from "../engine/names/table-names.ts";
import { catalogOf } from "../engine/reflection/catalog-query.ts";
import type { BindTarget } from "./bind-target.ts";
import { DECISION_TABLE } from "./decision-table.ts";
import { onEachBind } from "./each-bind.ts";
import { restoreTables } from "./restored-tables.ts";
import { withConnection } from "./with-connection.ts";

/**
 * Reads the tables of each bind's own schema into its metadata. A table that is defined there already is left as it is.
 *
 * @throws {DdlError} if a bind failed; the others' tables are read all the same
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.reflect`
 */
export async function reflect(targets: readonly BindTarget[]): Promise<void> {
  await onEachBind("reflect", targets, reflectTables);
}

async function reflectTables({ engine, metadata }: BindTarget, added: string[]): Promise<void> {
  requireTableNames(metadata.tables.values(), engine);
  const schema = await withConnection("reflect", engine, "read", async (connection) => {
    // Released without a commit, the connection rolls this back: nothing was changed.
    await connection.begin({ accessMode: "read only" });
    return engine.family.reflect(catalogOf(connection));
  });
  const tables = schema.tables.filter(({ name }) => name !== DECISION_TABLE);
  for (const table of restoreTables({ ...schema, tables }, metadata)) {
    metadata.addReflected(table);
    added.push(table.fullName);
  }
}
