import { DropTableNode } from "kysely";
import { bindLabel } from "../bind-key.ts";
import type { Connection } from "../engine/connection.ts";
import type { Engine } from "../engine/engine.ts";
import type { ForeignReference } from "../engine/family-ddl.ts";
import { requireTableNames } from "../engine/names/table-names.ts";
import { catalogOf } from "../engine/reflection/catalog-query.ts";
import { ForeignKeyViolationError } from "../errors/database.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import { sortTables, type TableOrder } from "../schema/table-order.ts";
import type { BindTarget } from "./bind-target.ts";
import { onEachBind } from "./each-bind.ts";
import { requireManaged, requireWritable } from "./guards.ts";
import { inTransaction, withConnection } from "./with-connection.ts";

/** How tables are dropped. */
export interface DropOptions {
  /** Whether tables that `reflect` found are dropped too. Defaults to false. */
  readonly reflected?: boolean;
}

/**
 * Drops the tables that are there, each before those that it refers to. A table that was not defined in the bind's metadata
 * is never touched: if one refers to a table that is dropped, the bind fails before anything of it is dropped. One transaction
 * per bind.
 *
 * @throws {DdlError} if a bind failed; the others' tables are dropped all the same
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.drop_all`
 */
export async function dropAll(
  targets: readonly BindTarget[],
  directory: Metadatas,
  options: DropOptions = {},
): Promise<void> {
  requireManaged("dropAll", targets);
  await onEachBind("dropAll", targets, (target, dropped) => dropTables(target, directory, options, dropped));
}

async function dropTables(
  { engine, metadata }: BindTarget,
  directory: Metadatas,
  { reflected = false }: DropOptions,
  dropped: string[],
): Promise<void> {
  const tables = [...metadata.tables.values()].filter((table) => reflected || !metadata.isReflected(table));
  if (tables.length === 0) return;
  requireWritable("dropAll", engine);
  const order = sortTables(tables, directory);
  requireTableNames(tables, engine);
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
  const reference = await ddl.foreignReference(found, run);
  if (reference !== undefined) throw foreignKeyError(reference, engine);
  for (const statement of await ddl.beforeDrop({ tables: found, circular }, run)) await run(statement);
  for (const { table } of found) {
    await connection.execute(engine.compileQuery(DropTableNode.create(table.node)));
    dropped.push(table.fullName);
  }
}

/** Where the database would keep the table, some databases would have dropped others by then, and some would change rows. */
function foreignKeyError({ name, target }: ForeignReference, { bindKey }: Engine): ForeignKeyViolationError {
  return new ForeignKeyViolationError(
    `Cannot drop table "${target}" of ${bindLabel(bindKey)}: table "${name}", which dropAll leaves alone, has a foreign key to it. ` +
      `Nothing was dropped there. Drop "${name}" or its foreign key first; if \`reflect\` found it and it may go too, use ` +
      "`dropAll({ reflected: true })`.",
    { bindKey, table: target },
  );
}
