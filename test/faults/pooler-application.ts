import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import {
  float,
  integer,
  keyOf,
  Multibind,
  OperationalError,
  sql,
  UniqueViolationError,
  varchar,
} from "../../src/index.ts";

/**
 * One application of two that make the same requests on tables of their own, each of whose statements differs from the
 * other's in the table's name alone. Prints a {@link PoolerReport}.
 */

/** How many requests were made, and what came of them. */
export interface PoolerReport {
  readonly requests: number;
  /** Reads that gave anything but the row that was asked for. */
  readonly wrong: readonly string[];
  /** Requests that failed in a way that they should not. */
  readonly failed: readonly string[];
  /** The keys of the entries that were stored. */
  readonly stored: readonly number[];
  /** How often the counters were raised. */
  readonly raised: number;
  /** How often a transaction was begun anew. */
  readonly retried: number;
}

/** The rows that each application reads. */
export const ROWS = 50;
/** The counters that each application raises. */
export const COUNTERS = 5;
/** Text that the other application's rows have not. */
export const labelOf = (application: string, id: number) => `${application} ${id}`;
/** Has more digits than are shown where another client has set `extra_float_digits`. */
export const measureOf = (id: number) => 1234567.125 + id;

/** The models of an application. */
export function modelsOf(application: string) {
  const db = new Multibind<"reader">();
  const columns = { id: integer().primaryKey(), label: varchar(40), value: float() };
  class Row extends db.model(`row_${application}`, columns) {}
  class Counter extends db.model(`counter_${application}`, { id: integer().primaryKey(), raised: integer() }) {}
  class Entry extends db.model(`entry_${application}`, {
    id: integer().primaryKey(),
    token: varchar(40).unique(),
    parentId: integer().nullable(),
  }) {}
  class Shown extends db.model(`row_${application}`, columns, { bindKey: "reader" }) {}
  return { db, Row, Counter, Entry, Shown };
}

const WORKERS = 6;
const STATE = sql<{ level: string; access: string; limit: string }>`
  select current_setting('transaction_isolation') as level, current_setting('transaction_read_only') as access,
    current_setting('statement_timeout') as limit`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      url: { type: "string" },
      application: { type: "string" },
      requests: { type: "string" },
      names: { type: "string" },
    },
  });
  const { url = "", application = "", requests = "0", names = "auto" } = values;
  const prepared = names === "auto" ? {} : { preparedStatements: names === "true" };
  const models = modelsOf(application);
  const isolationLevel = application === "one" ? "serializable" : "repeatable read";
  await using app = models.db.init({
    databaseUri: url,
    engineOptions: { poolSize: 4, ...prepared },
    binds: { reader: { url, poolSize: 2, readOnly: true, isolationLevel, statementTimeout: "20s", ...prepared } },
  });
  const report = await new Requests(application, models, app, isolationLevel).run(Number(requests));
  process.stdout.write(JSON.stringify(report));
}

type Models = ReturnType<typeof modelsOf>;
type App = ReturnType<Models["db"]["init"]>;

class Requests {
  readonly #wrong: string[] = [];
  readonly #failed: string[] = [];
  readonly #stored: number[] = [];
  #raised = 0;
  #retried = 0;
  readonly #kinds: readonly (() => Promise<void>)[];
  readonly #application: string;
  readonly #models: Models;
  readonly #app: App;
  readonly #level: string;

  constructor(application: string, models: Models, app: App, level: string) {
    this.#application = application;
    this.#models = models;
    this.#app = app;
    this.#level = level;
    this.#kinds = [
      this.#get,
      this.#select,
      this.#rows,
      this.#stream,
      this.#insert,
      this.#insertMany,
      this.#moveAndDelete,
      this.#raise,
      this.#raiseWithin,
      this.#collide,
      this.#readOnly,
      this.#state,
    ];
  }

  async run(requests: number): Promise<PoolerReport> {
    let left = requests;
    const worker = async () => {
      while (left > 0) {
        const kind = this.#kinds[left-- % this.#kinds.length]!;
        try {
          await this.#app.run(() => kind.call(this));
        } catch (error) {
          this.#failed.push(`${kind.name}: ${error}`);
        }
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    const [wrong, failed, stored] = [this.#wrong, this.#failed, this.#stored];
    return { requests, wrong, failed, stored, raised: this.#raised, retried: this.#retried };
  }

  get #session() {
    return this.#models.db.session;
  }

  #expect(what: string, got: unknown, wanted: unknown): void {
    const [seen, right] = [JSON.stringify(got), JSON.stringify(wanted)];
    if (seen !== right) this.#wrong.push(`${what}: ${seen} in place of ${right}`);
  }

  #expectRow(
    what: string,
    row: { readonly id: number; readonly label: string; readonly value: number } | null,
    id: number,
  ) {
    const wanted = { id, label: labelOf(this.#application, id), value: measureOf(id) };
    this.#expect(what, row && { id: row.id, label: row.label, value: row.value }, wanted);
  }

  /** Runs a transaction as an application does that expects serialization failures. */
  async #transaction<T>(work: () => Promise<T>): Promise<T> {
    let runs = 0;
    const counted = () => {
      if (++runs > 1) this.#retried++;
      return work();
    };
    return this.#session.transaction(counted, { retries: 20 });
  }

  async #get() {
    const id = random(ROWS);
    this.#expectRow("get", await this.#session.get(this.#models.Row, id), id);
  }

  async #select() {
    const { db, Row } = this.#models;
    const first = random(ROWS - 10);
    const found = await db.select(Row).where("id", ">=", first).orderBy("id").limit(10).all();
    found.forEach((row, index) => {
      this.#expectRow("select", row, first + index);
    });
    this.#expect("count", await db.select(Row).count(), ROWS);
  }

  async #rows() {
    const { db, Row } = this.#models;
    const id = random(ROWS);
    const [row] = await db.selectFrom(Row).selectAll().where("id", "=", id).execute();
    this.#expectRow("kysely", row ?? null, id);
    const table = sql.table(`row_${this.#application}`);
    const plain = sql<{ value: number }>`select value from ${table} where id = ${sql.lit(id)}`;
    this.#expect("text", (await plain.execute(this.#app.engine.kysely)).rows, [{ value: measureOf(id) }]);
  }

  async #stream() {
    const { db, Row } = this.#models;
    let id = 0;
    for await (const row of db.select(Row).orderBy("id").stream({ chunkSize: 20 }))
      this.#expectRow("stream", row, ++id);
    this.#expect("streamed", id, ROWS);
  }

  async #insert() {
    const entry = new this.#models.Entry({ token: token() });
    this.#session.add(entry);
    await this.#session.commit();
    this.#stored.push(entry.id);
  }

  async #insertMany() {
    const { Entry } = this.#models;
    const parent = new Entry({ token: token() });
    const children = [1, 2, 3].map(() => new Entry({ token: token(), parentId: keyOf(parent) }));
    this.#session.addAll([parent, ...children]);
    await this.#session.commit();
    for (const { parentId } of children) this.#expect("parent", parentId, parent.id);
    this.#stored.push(parent.id, ...children.map(({ id }) => id));
  }

  async #moveAndDelete() {
    const { db, Entry } = this.#models;
    const [kept, deleted] = [new Entry({ token: token() }), new Entry({ token: token() })];
    this.#session.addAll([kept, deleted]);
    await this.#session.commit();
    const moved = token();
    kept.token = moved;
    this.#session.delete(deleted);
    await this.#session.commit();
    const rows = await db.selectFrom(Entry).select(["id", "token"]).where("id", "in", [kept.id, deleted.id]).execute();
    this.#expect("moved", rows, [{ id: kept.id, token: moved }]);
    this.#stored.push(kept.id);
  }

  async #raise() {
    const id = random(COUNTERS);
    await this.#transaction(async () => {
      const counter = await this.#session.getOne(this.#models.Counter, id, { lock: true, refresh: true });
      counter.raised++;
    });
    this.#raised++;
  }

  async #raiseWithin() {
    const { db, Counter } = this.#models;
    const id = random(COUNTERS);
    await this.#transaction(async () => {
      const more = sql<number>`raised + 1`;
      await db.updateTable(Counter).set({ raised: more }).where("id", "=", id).execute();
      await this.#session
        .transaction(async () => {
          await db.updateTable(Counter).set({ raised: more }).where("id", "=", id).execute();
          throw new Error("never mind");
        })
        .catch((error: Error) => this.#expect("savepoint", error.message, "never mind"));
    });
    this.#raised++;
  }

  async #collide() {
    const { Entry } = this.#models;
    const twice = token();
    const first = new Entry({ token: twice });
    this.#session.add(first);
    await this.#session.commit();
    this.#stored.push(first.id);
    const insert = this.#app.engine.kysely.insertInto(Entry).values({ token: twice }).execute();
    const error = await insert.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    this.#expect("collision", error instanceof UniqueViolationError || String(error), true);
  }

  async #readOnly() {
    const { Shown } = this.#models;
    const id = random(ROWS);
    this.#expectRow("read-only", await this.#session.get(Shown, id), id);
    await this.#session.rollback();
    const error = await sql`delete from ${sql.table(`row_${this.#application}`)}`
      .execute(this.#app.engines.get("reader").kysely)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    this.#expect(
      "refusal",
      (error instanceof OperationalError && /read-only/.test(error.message)) || String(error),
      true,
    );
  }

  async #state() {
    const wanted = { level: this.#level, access: "on", limit: "20s" };
    this.#expect("state", (await STATE.execute(this.#app.engines.get("reader").kysely)).rows, [wanted]);
    const usual = { level: "read committed", access: "off", limit: "0" };
    this.#expect("usual state", (await STATE.execute(this.#app.engine.kysely)).rows, [usual]);
    await this.#session.begin({ isolationLevel: "serializable", readOnly: true });
    const { rows } = await this.#session.execute(STATE, { readOnly: true });
    this.#expect("own state", rows, [{ level: "serializable", access: "on", limit: "0" }]);
    await this.#session.rollback();
  }
}

function random(most: number): number {
  return 1 + Math.floor(Math.random() * most);
}

function token(): string {
  return randomBytes(12).toString("hex");
}

if (import.meta.main) await main();
