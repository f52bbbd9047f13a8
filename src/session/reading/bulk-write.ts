import type { QueryResult } from "kysely";
import type { BulkAssignment, BulkStatement } from "../../query/select/bulk-statement.ts";
import type { ReadOptions } from "../../query/select/select-runner.ts";
import { NOTHING_FILLED } from "../entities/entity-values.ts";
import { identityKeyOf } from "../entities/identity-key.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { RoutedStatement, StatementRunner } from "../statement-runner.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { Undo } from "../transaction/undo-log.ts";
import type { DriverRow } from "./row-functions.ts";

/** The parts of a session that a bulk write needs. */
export interface BulkWriteHost {
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
}

/**
 * Updates or deletes many rows by one statement, and gives the session's entities of these rows the values that it
 * assigned: an entity must not show a value that its own session has replaced, or setting that value again would not
 * count as a change.
 */
export class BulkWrite {
  readonly #host: BulkWriteHost;
  readonly #runner: StatementRunner;

  constructor(host: BulkWriteHost, runner: StatementRunner) {
    this.#host = host;
    this.#runner = runner;
  }

  /** @returns the number of rows that were written */
  async run({ node, assignment }: BulkStatement, options: ReadOptions): Promise<number> {
    const routed = this.#runner.prepare(node);
    if (assignment === undefined || !this.#host.work.mayHold(assignment.mapper)) {
      return Number((await this.#runner.run(routed, options)).numAffectedRows ?? 0n);
    }
    return routed.engine.supportsReturning("update")
      ? this.#runReturning(assignment, options)
      : this.#runAfterKeys(routed, assignment, options);
  }

  async #runReturning(assignment: BulkAssignment, options: ReadOptions): Promise<number> {
    const routed = this.#runner.prepare<DriverRow>(assignment.returning);
    const { rows } = await this.#runner.run(routed, options, (result) => this.#assign(routed, assignment, result.rows));
    return rows.length;
  }

  /** Where an update does not return keys, its rows are locked and their keys read before. */
  async #runAfterKeys(routed: RoutedStatement, assignment: BulkAssignment, options: ReadOptions): Promise<number> {
    let keys: readonly DriverRow[] = [];
    const locked = this.#runner.prepare<DriverRow>(assignment.keys);
    const updated = await this.#runner.runAfter(
      locked,
      ({ rows }: QueryResult<DriverRow>) => {
        keys = rows;
      },
      routed,
      options,
      () => this.#assign(routed, assignment, keys),
    );
    return Number(updated.numAffectedRows ?? 0n);
  }

  #assign({ engine }: RoutedStatement, { mapper, values }: BulkAssignment, keys: readonly DriverRow[]): void {
    const { work, transactions } = this.#host;
    const undo = transactions.undoOn(engine);
    for (const row of keys) {
      const key = identityKeyOf(mapper, row);
      const entity = key === undefined ? undefined : work.identityMap.get(mapper, key);
      if (entity === undefined) continue;
      const before = work.overwritten(entity, values);
      undo?.note(new Undo(entity, "read", before, NOTHING_FILLED));
    }
  }
}
