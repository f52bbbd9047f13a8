import type { CompiledQuery } from "kysely";
import type { Connection } from "../engine/connection.ts";
import { requireConstraintNames, requireTableNames } from "../engine/names/table-names.ts";
import { catalogOf } from "../engine/reflection/catalog-query.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { ConstraintNames } from "../schema/constraint-names.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import type { AnyTable } from "../schema/table.ts";
import { sortTables } from "../schema/table-order.ts";
import type { BindTarget } from "./bind-target.ts";
import { onEachBind } from "./each-bind.ts";
import { requireManaged, requireWritable } from "./guards.ts";
import { TableStatements } from "./table-statements.ts";
import { inTransaction, withConnection } from "./with-connection.ts";

/**
 * Makes the tables that are not there yet, with their constraints and indexes; those that are there are left as they
 * are. One transaction per bind.
 *
 * @throws {DdlError} if a bind failed; the others' tables are made all the same
 *
 * @see Flask-SQLAlchemy: `SQLAlchemy.create_all`
 */
export async function createAll(targets: readonly BindTarget[], directory: Metadatas): Promise<void> {
  requireManaged("createAll", targets);
  await onEachBind("createAll", targets, (target, created) => createTables(target, directory, created));
}

async function createTables(target: BindTarget, directory: Metadatas, created: string[]): Promise<void> {
  const { engine, metadata } = target;
  const tables = [...metadata.tables.values()];
  if (tables.length === 0) return;
  requireWritable("createAll", engine);
  sortTables(tables, directory);
  requireTableNames(tables, engine);
  const names = new ConstraintNames(metadata);
  requireConstraintNames(tables, (table) => names.all(table), engine);
  for (;;) {
    let missing: readonly AnyTable[] | undefined;
    const before = created.length;
    try {
      await withConnection("createAll", engine, "write", (connection) =>
        inTransaction(connection, async () => {
          missing = await missingTables(tables, connection);
          await createMissing(missing, target, directory, connection, created);
        }),
      );
      return;
    } catch (error) {
      if (engine.family.transactionalDdl) created.length = before;
      // Without this assertion the compiler takes the variable for what it was before the callback ran.
      const left = (missing as readonly AnyTable[] | undefined)?.length;
      if (left === undefined || !(await madeElsewhere(tables, left - (created.length - before), target))) throw error;
    }
  }
}

/** Several processes that start at the same time create the same tables. The later ones find some of them. */
async function madeElsewhere(tables: readonly AnyTable[], left: number, { engine }: BindTarget): Promise<boolean> {
  try {
    const missing = await withConnection("createAll", engine, "write", (connection) =>
      missingTables(tables, connection),
    );
    return missing.length < left;
  } catch {
    return false;
  }
}

function refuseImpossible({ engine }: BindTarget, table: AnyTable): void {
  const reason = engine.family.ddl.refusal?.(table);
  if (reason !== undefined) throw new UnsupportedError(reason, { bindKey: engine.bindKey });
}

async function missingTables(tables: readonly AnyTable[], connection: Connection): Promise<readonly AnyTable[]> {
  const found = await connection.engine.family.ddl.findTables(tables, catalogOf(connection));
  return tables.filter((table) => !found.has(table));
}

interface Step {
  readonly query: CompiledQuery;
  /** The table that this step makes. */
  readonly table?: AnyTable;
}

async function createMissing(
  missing: readonly AnyTable[],
  target: BindTarget,
  directory: Metadatas,
  connection: Connection,
  created: string[],
): Promise<void> {
  for (const { query, table } of stepsFor(missing, target, directory)) {
    await connection.execute(query);
    if (table !== undefined) created.push(table.fullName);
  }
}

/** All statements, written before the first is sent: what cannot be written fails before anything has happened. */
function stepsFor(missing: readonly AnyTable[], target: BindTarget, directory: Metadatas): Step[] {
  const { engine } = target;
  for (const table of missing) refuseImpossible(target, table);
  const statements = new TableStatements(target, directory);
  const { tables, circular } = sortTables(missing, directory);
  const later = engine.family.ddl.addsForeignKeys ? circular : new Set<never>();
  return [
    ...tables.flatMap((table) => [
      { query: engine.compileQuery(statements.createTable(table, later)), table },
      ...statements.createIndexes(table).map((node) => ({ query: engine.compileQuery(node) })),
    ]),
    ...tables.flatMap((table) =>
      table.foreignKeys
        .filter((key) => later.has(key))
        .map((key) => ({ query: engine.compileQuery(statements.addForeignKey(table, key)) })),
    ),
  ];
}
