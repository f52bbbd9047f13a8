import { DropTableNode } from "kysely";
import type { Connection } from "../engine/connection.ts";
import { catalogOf } from "../engine/reflection/catalog-query.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import { sortTables, type TableOrder } from "../schema/table-order.ts";
import type { BindTarget } from "./bind-target.ts";
import { inTransaction, withConnection } from "./borrowed-connection.ts";
import { onEachBind } from "./each-bind.ts";
import { requireManaged, requireWritable } from "./permission.ts";

/**
 * Drops the tables that are there, each before those that it refers to. A table that is not of the bind's metadata is
 * never touched: if one refers to a table that is dropped, the bind fails. One transaction per bind.
 *
 * @throws {DdlError} if a bind failed; the others' tables are dropped all the same
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.drop_all`
 */
export async function dropAll(targets: readonly BindTarget[], directory: Metadatas): Promise<void> {
  requireManaged("dropAll", targets);
  await onEachBind("dropAll", targets, (target, dropped) => dropTables(target, directory, dropped));
}

async function dropTables({ engine, metadata }: BindTarget, directory: Metadatas, dropped: string[]): Promise<void> {
  if (metadata.tables.size === 0) return;
  requireWritable("dropAll", engine);
  const order = sortTables(metadata.tables.values(), directory);
  const circular =
    order.circular.size > 0 ||
    order.tables.some((table) => table.foreignKeys.some((key) => key.resolve(directory).table === table));
  const { withoutForeignKeys } = engine.family.ddl;
  await withConnection("dropAll", engine, "write", (connection) => {
    const drop = () => inTransaction(connection, () => dropInOrder(order, circular, connection, dropped));
    return circular && withoutForeignKeys !== undefined ? withoutForeignKeys(catalogOf(connection), drop) : drop();
  });
}

async function dropInOrder(
  { tables }: TableOrder,
  circular: boolean,
  connection: Connection,
  dropped: string[],
): Promise<void> {
  const { engine } = connection;
  const { ddl } = engine.family;
  const run = catalogOf(connection);
  const existing = await ddl.findTables(tables, run);
  const found = tables
    .toReversed()
    .flatMap((table) => existing.get(table) ?? [])
    .filter(({ kind }) => kind === "table");
  if (found.length === 0) return;
  for (const statement of await ddl.beforeDrop({ tables: found, circular }, run)) await run(statement);
  for (const { table } of found) {
    await connection.execute(engine.compileQuery(DropTableNode.create(table.node)));
    dropped.push(table.fullName);
  }
}
