import { setTimeout as delay } from "node:timers/promises";
import { CompiledQuery, type RawBuilder, sql } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { createAll } from "../../ddl/create-all.ts";
import { DECISION_TABLE } from "../../ddl/decision-table.ts";
import type { Connection } from "../../engine/connection.ts";
import type { Engine } from "../../engine/engine.ts";
import { Owner } from "../../engine/pool/owner.ts";
import { catalogOf } from "../../engine/reflection/catalog-query.ts";
import { type Decider, databaseOf, newDomain } from "../../engine/two-phase/gid.ts";
import { retry } from "../../engine/waiting/retry.ts";
import { endedTransaction } from "../../engine/within-transaction.ts";
import {
  DatabaseConnectionError,
  DatabaseTimeoutError,
  LockTimeoutError,
  OperationalError,
  UniqueViolationError,
} from "../../errors/database.ts";
import { DdlError } from "../../errors/ddl.ts";
import { DecisionsLostError } from "../../errors/session.ts";
import { defineTable } from "../../model/define-model.ts";
import { Metadatas } from "../../schema/metadatas.ts";
import { integer } from "../../schema/types/integer.ts";
import { varchar } from "../../schema/types/string.ts";

/** The decision on a transaction over several binds. */
export type Outcome = "committed" | "aborted";

/** An entry of the log about a transaction. */
export interface Decision {
  readonly outcome: Outcome;
  /** How many prepared transactions it decides on. */
  readonly branches: number;
}

interface Opened {
  /** The part of the ids of prepared transactions that names this log. */
  readonly decider: Decider;
}

interface DecisionRow extends Decision {
  readonly id: string;
}

/** The errors if the policy needs a log and there can be none. */
export const NO_DECISION_BIND =
  'The commit policy "twoPhase" keeps its decisions in a table of one of the binds, and none can have it: each is in ' +
  "memory, readOnly, or not managed.";

/** The table of decisions. */
const TABLE = DECISION_TABLE;
/** The row that holds the log's own name. */
const DOMAIN = "domain";
/** How often the name is looked for in a table that another process may just have made, and the pause in milliseconds. */
const ATTEMPTS = 40;
const PAUSE = 50;
/** How many rows are deleted at once when they are needed no more. */
const PORTION = 50;

/**
 * The decisions on transactions over several binds: the table `multibind_decision` in the decision bind. A transaction
 * has a row there if it was decided to commit it, and the row is stored by the bind's own local commit.
 */
export class DecisionLog {
  readonly engine: Engine;
  #opening: Promise<Opened> | undefined;
  #settled: string[] = [];
  #deleting: Promise<void> = Promise.resolve();

  constructor(engine: Engine) {
    this.engine = engine;
  }

  /** The log as the ids name it on which it decides; the table is made if it is not there. */
  async decider(): Promise<Decider> {
    return (await this.#opened()).decider;
  }

  /**
   * The same, as the database has it now: it may be another one since the log was opened.
   *
   * @throws {DecisionsLostError} if the table has lost the log's name
   */
  async currentDecider(): Promise<Decider> {
    this.#opening = undefined;
    return this.decider();
  }

  /**
   * Decides to commit, within the decision bind's own transaction. It has to be done before anything is prepared: who
   * finds a prepared transaction then knows that its row is stored, or about to be, or never will be.
   */
  async record(connection: Connection, id: string, branches: number): Promise<void> {
    await this.#opened();
    // The row would be stored at once.
    if (connection.hasEnded) throw endedTransaction(connection);
    try {
      const within = this.engine.family.durability?.within;
      if (within !== undefined) await connection.execute(CompiledQuery.raw(within));
      await catalogOf(connection)(insert({ id, outcome: "committed", branches }));
    } catch (error) {
      // The table may have been dropped.
      this.#opening = undefined;
      throw error;
    }
  }

  /**
   * Reads the decision. Without one, this decides that the transaction is rolled back: a process that was
   * about to commit it cannot do so any more.
   *
   * @returns `"open"` if its own process is just about to commit it
   */
  async claim(id: string): Promise<Decision | "open"> {
    for (;;) {
      const row: DecisionRow = { id, outcome: "aborted", branches: 0 };
      try {
        if (await this.#borrow((connection) => this.#enter(connection, row))) return row;
      } catch (error) {
        if (error instanceof DatabaseTimeoutError) return "open";
        throw error;
      }
      const decision = (await this.decisions([id])).get(id);
      if (decision !== undefined) return decision;
      // Its process has finished the transaction meanwhile.
    }
  }

  /** The decisions on transactions; undecided ones are left out. */
  async decisions(ids: readonly string[]): Promise<ReadonlyMap<string, Decision>> {
    if (ids.length === 0) return new Map();
    await this.#opened();
    const rows = await this.#borrow((connection) =>
      catalogOf(connection)(
        sql<DecisionRow>`select id, outcome, branches from multibind_decision where id in (${sql.join(ids)})`,
      ),
    );
    return new Map(rows.map(({ id, outcome, branches }) => [id, { outcome, branches: Number(branches) }]));
  }

  /** Notes that nothing is left of a transaction to be decided. Rows are deleted now and then, many at once. */
  settled(id: string): void {
    this.#settled.push(id);
    if (this.#settled.length >= PORTION) void this.flush().catch(() => {});
  }

  /** Deletes the rows that are needed no more. */
  flush(): Promise<void> {
    this.#deleting = this.#deleting.catch(() => {}).then(() => this.#delete());
    return this.#deleting;
  }

  async #delete(): Promise<void> {
    const ids = this.#settled;
    if (ids.length === 0) return;
    this.#settled = [];
    try {
      await this.#borrow((connection) =>
        catalogOf(connection)(sql`delete from multibind_decision where id in (${sql.join(ids)})`),
      );
    } catch (error) {
      this.#settled.push(...ids);
      throw error;
    }
  }

  #opened(): Promise<Opened> {
    this.#opening ??= this.#open().catch((error: unknown) => {
      this.#opening = undefined;
      throw error;
    });
    return this.#opening;
  }

  async #open(): Promise<Opened> {
    const isNew = await this.#createTable();
    return this.#borrow(async (connection) => {
      const { family } = this.engine;
      const run = catalogOf(connection);
      const domain = (await this.#domain(connection, isNew)) ?? this.#nameless();
      return { decider: { domain, database: databaseOf(await family.identity(run, TABLE)) } };
    });
  }

  /** The log's random name. A new table gets one; in any other it has to be there. */
  async #domain(connection: Connection, isNew: boolean): Promise<string | undefined> {
    const run = catalogOf(connection);
    for (let attempt = 0; attempt <= ATTEMPTS; attempt++) {
      const [row] = await run(sql<DecisionRow>`select id, outcome from multibind_decision where id = ${DOMAIN}`);
      if (row !== undefined) return row.outcome;
      if (isNew) {
        await this.#enter(connection, { id: DOMAIN, outcome: newDomain(), branches: 0 });
        continue;
      }
      const [decision] = await run(sql<DecisionRow>`select id from multibind_decision limit 1`);
      if (decision !== undefined) return undefined;
      // The process that has just made the table is about to store the name.
      await delay(PAUSE);
    }
    return undefined;
  }

  #nameless(): never {
    const { bindKey } = this.engine;
    throw new DecisionsLostError(
      `Cannot tell which prepared transactions ${bindLabel(bindKey)} decides on: its table "${TABLE}" has no row ` +
        `"${DOMAIN}". The database was restored without it, or the row was deleted. Restore that row; or, if no server ` +
        "keeps a prepared transaction of this application, drop the table, and the next commit makes it anew.",
      bindKey,
    );
  }

  /** Makes the table if it is not there. Returns whether it was not. */
  async #createTable(): Promise<boolean> {
    const { engine } = this;
    const { bindKey } = engine;
    const metadatas = new Metadatas("multibind", { namingConvention: {}, redefine: "error" });
    const columns = { id: varchar(20).primaryKey(), outcome: varchar(16), branches: integer() };
    const table = defineTable({ metadatas, columnName: undefined, redefine: "error" }, TABLE, columns, { bindKey });
    const found = await this.#borrow((connection) => engine.family.ddl.findTables([table], catalogOf(connection)));
    if (found.size > 0) return false;
    try {
      await createAll([{ engine, metadata: metadatas.get(bindKey) }], metadatas);
    } catch (error) {
      throw error instanceof DdlError ? error.cause : error;
    }
    return true;
  }

  /** Stores a row in a transaction of its own. Returns whether there was none of its id; waits but shortly to see. */
  async #enter(
    connection: Connection,
    row: Omit<DecisionRow, "outcome"> & { readonly outcome: string },
  ): Promise<boolean> {
    const { durability, shortLockWait } = this.engine.family;
    const run = (text: string | undefined) =>
      text === undefined ? undefined : connection.execute(CompiledQuery.raw(text));
    await run(durability?.before);
    await run(shortLockWait?.before);
    try {
      await connection.begin();
      await run(durability?.within);
      await run(shortLockWait?.within);
      await catalogOf(connection)(insert(row));
      await connection.commit();
      return true;
    } catch (error) {
      await connection.rollback().catch(() => {});
      if (error instanceof UniqueViolationError) return false;
      throw error;
    } finally {
      await run(shortLockWait?.after)?.catch(() => {});
    }
  }

  /** Does something on a connection of its own. */
  #borrow<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    return retry(mayPass, () => this.#attempt(work));
  }

  async #attempt<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const owner = new Owner("the decision log");
    owner.begin();
    try {
      const connection = await this.engine.connect({ use: "write", owner });
      try {
        return await work(connection);
      } finally {
        await connection.release();
      }
    } finally {
      owner.end();
    }
  }
}

/** After a restart of the server the connections that are there are lost; and two processes may claim one transaction. */
function mayPass(error: unknown): boolean {
  if (error instanceof LockTimeoutError) return false;
  return error instanceof DatabaseConnectionError || (error instanceof OperationalError && error.retryable);
}

function insert(row: {
  readonly id: string;
  readonly outcome: string;
  readonly branches: number;
}): RawBuilder<unknown> {
  return sql`insert into multibind_decision (id, outcome, branches) values (${row.id}, ${row.outcome}, ${row.branches})`;
}
