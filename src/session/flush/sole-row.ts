import type { QueryResult } from "kysely";
import type { EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Owner } from "../../engine/pool/owner.ts";
import { type Entity, mapperOf } from "../../model/entity.ts";
import { takeSnapshot } from "../../model/snapshot.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Router } from "../router.ts";
import type { SessionLock } from "../session-lock.ts";
import type { BindTransaction } from "../transaction/bind-transaction.ts";
import type { FlushTarget } from "../transaction/flush-target.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { type Filled, Undo } from "../transaction/undo-log.ts";
import type { NewValues } from "./new-values.ts";
import { type InsertPart, rowShapes } from "./row-shape.ts";
import { fillIn, settle, settleKey, together } from "./settling.ts";
import { valuesToInsert } from "./values-to-store.ts";

/** A view of the session for committing one new row. */
export interface SoleRowHost {
  readonly work: UnitOfWork;
  readonly router: Router;
  readonly owner: Owner;
  readonly lock: SessionLock;
  readonly transactions: Transactions;
}

/**
 * Stores and commits the only pending row, if one statement does all: without a promise
 * where the database is in this process and free. Otherwise nothing happens.
 *
 * @returns whether it is done, or will be
 * @throws {InvalidValueError | NotNullViolationError} for a value that cannot be stored, before anything is sent
 */
export function commitSoleRow(host: SoleRowHost): boolean | Promise<void> {
  const { work, owner, transactions } = host;
  const row = soleRow(host);
  if (row === undefined) return false;
  const { engine } = row;
  const statement = statementOf(row);
  let result: QueryResult<DriverRow> | undefined;
  try {
    result = engine.writeNow(statement, owner);
  } catch (error) {
    return failed(host, error);
  }
  if (result === undefined) return commitSoon(host, row, statement);
  stored(work, row, result);
  transactions.passed();
  return true;
}

/**
 * Stores the only pending row within the transaction, if one statement does all and nothing has to be waited for.
 * Otherwise no row is stored, though the bind's transaction may have begun.
 *
 * @returns whether it is done, or has failed
 * @throws {InvalidValueError | NotNullViolationError} for a value that cannot be stored, before anything is sent
 */
export function flushSoleRow(host: SoleRowHost): boolean | Promise<void> {
  const { work, transactions } = host;
  const row = soleRow(host, runsAtOnce);
  if (row === undefined) return false;
  let bind: BindTransaction | undefined;
  let result: QueryResult<DriverRow> | undefined;
  transactions.requireAdmission([row.engine]);
  try {
    bind = transactions.joinToWriteNow(row.engine);
    result = bind?.connection.executeNow(statementOf(row));
    if (bind === undefined || result === undefined) return false;
    bind.undo.noteFirst(new Undo(row.entity, "inserted", null, stored(work, row, result)));
  } catch (error) {
    bind?.fail(error);
    return failed(host, error);
  }
  return true;
}

function failed({ lock, transactions }: SoleRowHost, error: unknown): Promise<void> {
  return lock.runExclusive(async () => {
    await transactions.fail(error);
    throw error;
  });
}

function runsAtOnce(engine: Engine): boolean {
  return engine.runsAtOnce;
}

/** The only pending row, if one statement stores it, on an engine that fits. */
function soleRow({ work, router }: SoleRowHost, isFit?: (engine: Engine) => boolean): SoleRow | undefined {
  const entity = work.soleAddition;
  if (entity === undefined) return undefined;
  const mapper = mapperOf(entity);
  const engine = router.forTable(mapper.table);
  if (isFit?.(engine) === false) return undefined;
  const values = valuesToInsert(entity, mapper, engine);
  if (values.waiting.length > 0) return undefined;
  engine.requireWritable(true);
  const { isOneStatement, parts } = rowShapes(mapper, engine).forInsert(values.properties);
  return isOneStatement ? { entity, engine, values, part: parts[0]! } : undefined;
}

function statementOf({ part, values }: SoleRow): EngineQuery<DriverRow> {
  return part.statements.single(part.written(values));
}

/** A row to insert, with its insert plan. */
interface SoleRow {
  readonly entity: Entity;
  readonly engine: Engine;
  readonly values: NewValues;
  readonly part: InsertPart;
}

/** The same where something has to be waited for. */
function commitSoon(
  { work, lock, transactions }: SoleRowHost,
  row: SoleRow,
  statement: EngineQuery<DriverRow>,
): Promise<void> {
  const store = async ({ connection }: FlushTarget) => {
    // Only a connection knows whether the server tells what it has stored.
    const known = row.part.confirmed.length === 0 ? statement : statementOf(row);
    stored(work, row, await connection.execute(known));
  };
  return lock.runExclusive(async () => {
    await transactions.commitWhole(row.engine, row.entity, store, false);
  });
}

/** The entity gets what the database has filled in. Returns what the session has set of it. */
function stored(
  work: UnitOfWork,
  { entity, values, part }: SoleRow,
  result: QueryResult<DriverRow>,
): readonly Filled[] {
  const filled = part.statements.filledBy(result);
  let assigned = settle(entity, values.settling);
  const { fetched, confirmed } = part;
  for (let place = 0; place < filled.length; place++) {
    const property = fetched[place] ?? confirmed[place - fetched.length]!;
    const { name, column } = property;
    const sent = values.row[name];
    values.row[name] = takeSnapshot(column.definition.type.kind, filled[place]);
    assigned =
      place < fetched.length
        ? fillIn(entity, name, filled[place], assigned)
        : settleKey(entity, property, sent, filled[place], assigned);
  }
  return together(work.inserted(entity, values.row), assigned);
}
