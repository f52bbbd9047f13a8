import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import pg from "pg";
import { onPostgres } from "../fixtures/databases.ts";
import { COUNTERS, labelOf, measureOf, modelsOf, type PoolerReport, ROWS } from "./pooler-application.ts";

const APPLICATIONS = ["one", "two"];
/** The state that a client meets on a server connection, and did not make itself. */
const LEFT = `
  select name from pg_settings where source = 'session'
    and name not in ('client_encoding', 'application_name', 'TimeZone', 'DateStyle') and name not like 'transaction%'
  union all select 'an open cursor' from pg_cursors where name <> ''
  union all select 'an advisory lock' from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()`;
const STATEMENTS = " union all select 'a prepared statement' from pg_prepared_statements where not from_sql";
/** How a transaction fails once where an application insists on names. */
const LOST_NAME = /transaction pooler is between/;

/** How the applications send statements. */
export type Names = "auto" | "false" | "true";

/**
 * Has two applications in processes of their own make requests through a pooler, while a third client looks for what they
 * leave on its connections, and checks all that was read and stored.
 *
 * @param url the database through the pooler
 * @param direct the same database
 * @param requests the number of requests of both applications together
 */
export async function runThroughPooler(
  url: string,
  direct: string,
  requests: number,
  names: Names,
): Promise<{ readonly looks: number; readonly reports: readonly PoolerReport[] }> {
  for (const application of APPLICATIONS) await makeTables(application, direct);
  const third = new Third(url, names === "true" ? LEFT : LEFT + STATEMENTS);
  const watching = third.watch();
  const reports = await Promise.all(
    APPLICATIONS.map((application) => runApplication({ url, application, requests: String(requests / 2), names })),
  ).finally(() => third.stop());
  await watching;
  for (const [index, application] of APPLICATIONS.entries()) await check(reports[index]!, application, direct, names);
  assert.deepEqual(third.found, []);
  assert.ok(third.looks > 0);
  return { looks: third.looks, reports };
}

async function makeTables(application: string, direct: string): Promise<void> {
  const { db, Row, Counter } = modelsOf(application);
  await using app = db.init({ databaseUri: direct, binds: { reader: { url: direct, managed: false } } });
  await app.dropAll();
  await app.createAll();
  await app.transaction(() => {
    for (let id = 1; id <= ROWS; id++) {
      db.session.add(new Row({ id, label: labelOf(application, id), value: measureOf(id) }));
    }
    for (let id = 1; id <= COUNTERS; id++) db.session.add(new Counter({ id, raised: 0 }));
  });
}

async function runApplication(options: Readonly<Record<string, string>>): Promise<PoolerReport> {
  const file = fileURLToPath(new URL("./pooler-application.ts", import.meta.url));
  const child = spawn(process.execPath, [
    file,
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
  ]);
  const output = { out: "", error: "" };
  child.stdout.on("data", (text) => {
    output.out += text;
  });
  child.stderr.on("data", (text) => {
    output.error += text;
  });
  const code = await new Promise((resolve, reject) => child.once("close", resolve).once("error", reject));
  assert.equal(code, 0, output.error);
  return JSON.parse(output.out) as PoolerReport;
}

/** What is stored is what the application says that it has stored. */
async function check(report: PoolerReport, application: string, direct: string, names: Names): Promise<void> {
  assert.deepEqual(report.wrong, []);
  const failed = names === "true" ? report.failed.filter((message) => !LOST_NAME.test(message)) : report.failed;
  assert.deepEqual(failed, []);
  const all = (text: string) => onPostgres(text, direct);
  const wanted = Array.from({ length: ROWS }, (_, index) => index + 1);
  assert.deepEqual(
    await all(`select id, label, value from row_${application} order by id`),
    wanted.map((id) => ({ id, label: labelOf(application, id), value: measureOf(id) })),
  );
  assert.deepEqual(await all(`select sum(raised)::int as sum from counter_${application}`), [{ sum: report.raised }]);
  const ids = (await all(`select id from entry_${application} order by id`)).map(({ id }) => id);
  assert.deepEqual(
    ids,
    report.stored.toSorted((a, b) => a - b),
  );
}

/** A client of the same pooler that does what other applications do, and is not to notice these. */
class Third {
  readonly found: unknown[] = [];
  looks = 0;
  readonly #url: string;
  readonly #left: string;
  #stopped = false;

  constructor(url: string, left: string) {
    this.#url = url;
    this.#left = left;
  }

  stop(): void {
    this.#stopped = true;
  }

  async watch(): Promise<void> {
    const client = new pg.Client(this.#url);
    await client.connect();
    try {
      await client.query("create table if not exists third (id int)");
      while (!this.#stopped) {
        for (const row of (await client.query(this.#left)).rows) if (this.found.length < 10) this.found.push(row);
        await client.query("insert into third values (1)");
        this.looks++;
      }
    } catch (error) {
      this.found.push(String(error));
    } finally {
      await client.end();
    }
  }
}
