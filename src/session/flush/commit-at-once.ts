import type { QueryResult } from "kysely";
import type { Owner } from "../../engine/pool/owner.ts";
import { mapperOf } from "../../model/entity.ts";
import { takeSnapshot } from "../../model/snapshot.ts";
import { NOTHING_FILLED } from "../entities/entity-values.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { DriverRow } from "../reading/row-functions.ts";
import { type EngineDirectory, engineOf } from "../routing.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { rowShapes } from "./row-shape.ts";
import { fillIn, settle } from "./settling.ts";
import { valuesToInsert } from "./values-to-store.ts";

/** What a commit at once needs of its session. */
export interface AtOnceHost {
  readonly work: UnitOfWork;
  readonly engines: EngineDirectory;
  readonly owner: Owner;
  readonly transactions: Transactions;
}

/**
 * Stores and commits the one new row that is all there is to be stored, without a promise, where one statement does all
 * and the database is in this process and free. Otherwise nothing happens.
 *
 * @returns whether it is done; what the database reports comes as a promise, since the transaction has failed then
 * @throws {InvalidValueError | NotNullViolationError} for a value that cannot be stored, before anything is sent
 */
export function commitAtOnce({ work, engines, owner, transactions }: AtOnceHost): boolean | Promise<never> {
  const entity = work.soleAddition;
  if (entity === undefined) return false;
  const mapper = mapperOf(entity);
  const engine = engineOf(engines, mapper.table.bindKey);
  const values = valuesToInsert(entity, mapper, engine);
  if (values.waiting.length > 0) return false;
  engine.requireWritable(true);
  const { isOneStatement, parts } = rowShapes(mapper, engine).forInsert(values.properties);
  if (!isOneStatement) return false;
  const { statements, fetched } = parts[0]!;
  let result: QueryResult<DriverRow> | undefined;
  try {
    result = engine.writeNow(statements.single(parts[0]!.written(values)), owner);
  } catch (error) {
    return transactions.fail(error).then(() => {
      throw error;
    });
  }
  if (result === undefined) return false;
  const filled = statements.filledBy(result);
  settle(entity, values.settling);
  for (let place = 0; place < filled.length; place++) {
    const { name, column } = fetched[place]!;
    values.row[name] = takeSnapshot(column.definition.type.kind, filled[place]);
    fillIn(entity, name, filled[place], NOTHING_FILLED);
  }
  work.inserted(entity, values.row);
  transactions.passed();
  return true;
}
