import type { QueryResult } from "kysely";
import type { EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import type { Owner } from "../../engine/pool/owner.ts";
import { type Entity, mapperOf } from "../../model/entity.ts";
import { takeSnapshot } from "../../model/snapshot.ts";
import { NOTHING_FILLED } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import type { Router } from "../router.ts";
import type { SessionLock } from "../session-lock.ts";
import type { FlushTarget } from "../transaction/flush-target.ts";
import type { Transactions } from "../transaction/transactions.ts";
import type { NewValues } from "./new-values.ts";
import { type InsertPart, rowShapes } from "./row-shape.ts";
import { fillIn, settle, settleKey } from "./settling.ts";
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
  const { work, router, owner, transactions } = host;
  const entity = work.soleAddition;
  if (entity === undefined) return false;
  const mapper = mapperOf(entity);
  const engine = router.forTable(mapper.table);
  const values = valuesToInsert(entity, mapper, engine);
  if (values.waiting.length > 0) return false;
  engine.requireWritable(true);
  const { isOneStatement, parts } = rowShapes(mapper, engine).forInsert(values.properties);
  if (!isOneStatement) return false;
  const row: SoleRow = { entity, values, part: parts[0]! };
  const statement = row.part.statements.single(row.part.written(values));
  let result: QueryResult<DriverRow> | undefined;
  try {
    result = engine.writeNow(statement, owner);
  } catch (error) {
    return transactions.fail(error).then(() => {
      throw error;
    });
  }
  if (result === undefined) return commitSoon(host, row, engine, statement);
  stored(work, row, result);
  transactions.passed();
  return true;
}

/** A row to insert, with its insert plan. */
interface SoleRow {
  readonly entity: Entity;
  readonly values: NewValues;
  readonly part: InsertPart;
}

/** The same where something has to be waited for. */
function commitSoon(
  { work, lock, transactions }: SoleRowHost,
  row: SoleRow,
  engine: Engine,
  statement: EngineQuery<DriverRow>,
): Promise<void> {
  const store = async ({ connection }: FlushTarget) => {
    // Only a connection knows whether the server tells what it has stored.
    const { values, part } = row;
    const known = part.confirmed.length === 0 ? statement : part.statements.single(part.written(values));
    stored(work, row, await connection.execute(known));
  };
  return lock.runExclusive(async () => {
    await transactions.commitWhole(engine, row.entity, store, false);
  });
}

/** The entity gets what the database has filled in. */
function stored(work: UnitOfWork, { entity, values, part }: SoleRow, result: QueryResult<DriverRow>): void {
  const filled = part.statements.filledBy(result);
  settle(entity, values.settling);
  const { fetched, confirmed } = part;
  for (let place = 0; place < filled.length; place++) {
    const property = fetched[place] ?? confirmed[place - fetched.length]!;
    const { name, column } = property;
    const sent = values.row[name];
    values.row[name] = takeSnapshot(column.definition.type.kind, filled[place]);
    if (place < fetched.length) fillIn(entity, name, filled[place], NOTHING_FILLED);
    else settleKey(entity, property, sent, filled[place], NOTHING_FILLED);
  }
  work.inserted(entity, values.row);
}
