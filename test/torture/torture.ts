import { type ChildProcess, fork } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Application, FamilyName } from "../../src/index.ts";
import { mariadbServer } from "../fixtures/mariadb-server.ts";
import { postgresServer } from "../fixtures/postgres-server.ts";
import type { ServerProcess } from "../fixtures/server-process.ts";
import { audit, recoverAll } from "./audit.ts";
import { type BankUrls, found, openBank } from "./bank.ts";

/** What happened to two databases, and what was found afterwards. */
export interface Tally {
  kills: number;
  serverKills: number;
  /** Transfers whose process was told that they are committed. */
  acknowledged: number;
  inDoubt: number;
  committed: number;
  rolledBack: number;
  readonly violations: string[];
}

export interface TortureOptions {
  /** How often a process is killed, over all pairs of databases. */
  readonly kills: number;
  /** How often a server is, over all pairs with that server. */
  readonly serverKills: number;
  /** Is told of each pair when it is done. */
  readonly say?: (line: string) => void;
}

type Pair = readonly [left: FamilyName, right: FamilyName];

/** All pairs of families that can commit together; two SQLite files cannot. */
const PAIRS: readonly Pair[] = [
  ["sqlite", "postgres"],
  ["sqlite", "mysql"],
  ["postgres", "mysql"],
  ["mysql", "postgres"],
  ["postgres", "postgres"],
  ["mysql", "mysql"],
];
/** The longest that a process works before it or its server is killed, in milliseconds. */
const LONGEST_WORK = 150;

/**
 * Kills processes that move money between two databases, and then the databases' servers, at random instants; each time
 * recovers, and looks whether all money is there.
 */
export async function torture(
  t: Pick<TestContext, "after">,
  { kills, serverKills, say = () => {} }: TortureOptions,
): Promise<Tally> {
  const [postgres, mysql] = await Promise.all([
    postgresServer(t, { max_prepared_transactions: 50, max_connections: 200 }),
    mariadbServer(t),
  ]);
  const folder = await mkdtemp(join(tmpdir(), "multibind-torture-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const fresh = (family: FamilyName) => {
    const name = `bank_${randomBytes(6).toString("hex")}`;
    return family === "sqlite"
      ? `sqlite:///${join(folder, name)}.db`
      : { postgres, mysql }[family].createDatabase(name);
  };
  const all = emptyTally();
  for (const [place, pair] of PAIRS.entries()) {
    const bank = new Bank({ left: await fresh(pair[0]), right: await fresh(pair[1]) });
    await bank.found();
    const share = (total: number) =>
      Math.floor(((place + 1) * total) / PAIRS.length) - Math.floor((place * total) / PAIRS.length);
    for (let kill = 0; kill < share(kills); kill++) await bank.killProcess(kill % 2 === 1);
    const servers = [postgres, mysql].filter((_, number) => pair.includes((["postgres", "mysql"] as const)[number]!));
    for (let kill = 0; kill < share(serverKills); kill++) await bank.killServer(servers[kill % servers.length]!);
    await bank.close();
    say(`${pair.join(" and ")}: ${describe(bank.tally)}`);
    add(all, bank.tally);
  }
  say(`all: ${describe(all)}`);
  return all;
}

/** The figures of a tally in one line. */
function describe({ kills, serverKills, acknowledged, inDoubt, committed, rolledBack, violations }: Tally): string {
  return (
    `${kills} kills of a process, ${serverKills} of a server, ${acknowledged} transfers acknowledged, ${inDoubt} found in doubt, ` +
    `${committed + rolledBack} settled (${committed} committed, ${rolledBack} rolled back), ${violations.length} violations`
  );
}

/** Two databases, a process that works on them, and one that looks after them. */
class Bank {
  readonly tally = emptyTally();
  readonly #urls: BankUrls;
  #app: Application<"left" | "right">;
  /** The next process, started ahead of its time. */
  #next: Promise<ChildProcess> | undefined;

  constructor(urls: BankUrls) {
    this.#urls = urls;
    this.#app = openBank(urls);
  }

  async found(): Promise<void> {
    await found(this.#urls);
  }

  async close(): Promise<void> {
    (await this.#next)?.kill("SIGKILL");
    await this.#app.dispose();
  }

  /** @param beside whether recovery runs all the while */
  async killProcess(beside: boolean): Promise<void> {
    const acknowledged = new Set<string>();
    const teller = await this.#startTeller(acknowledged);
    const over = new AbortController();
    const recovering = beside ? this.#recoverBeside(over.signal) : undefined;
    await delay(Math.random() * LONGEST_WORK);
    await end(teller);
    over.abort();
    await recovering;
    this.tally.kills++;
    await this.#check(acknowledged);
  }

  /** Kills a server under a process that works on, and starts it again. */
  async killServer(server: ServerProcess): Promise<void> {
    const acknowledged = new Set<string>();
    const teller = await this.#startTeller(acknowledged);
    await delay(Math.random() * LONGEST_WORK);
    await server.kill();
    await delay(Math.random() * LONGEST_WORK);
    await server.start();
    await delay(Math.random() * LONGEST_WORK);
    await end(teller);
    this.tally.serverKills++;
    await this.#app.dispose();
    this.#app = openBank(this.#urls);
    await this.#check(acknowledged);
  }

  /** A process that has done its first transfer; the one after it is started already. */
  async #startTeller(acknowledged: Set<string>): Promise<ChildProcess> {
    const teller = await (this.#next ?? spawn());
    this.#next = spawn();
    teller.on("message", (id) => acknowledged.add(String(id)));
    teller.send(this.#urls);
    await once(teller, "message");
    return teller;
  }

  async #recoverBeside(over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      const { committed, rolledBack } = await this.#app.recover();
      this.tally.committed += committed.length;
      this.tally.rolledBack += rolledBack.length;
      await delay(5);
    }
  }

  async #check(acknowledged: ReadonlySet<string>): Promise<void> {
    const { inDoubt, committed, rolledBack } = await recoverAll(this.#app);
    this.tally.acknowledged += acknowledged.size;
    this.tally.inDoubt += inDoubt;
    this.tally.committed += committed;
    this.tally.rolledBack += rolledBack;
    this.tally.violations.push(...(await audit(this.#app, acknowledged)));
  }
}

async function spawn(): Promise<ChildProcess> {
  const teller = fork(join(import.meta.dirname, "teller.ts"), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  await once(teller, "message");
  return teller;
}

/** Kills a process at once, and waits for all that it has said. */
async function end(teller: ChildProcess): Promise<void> {
  const closed = Promise.all([once(teller, "close"), once(teller, "disconnect")]);
  teller.kill("SIGKILL");
  await closed;
}

function emptyTally(): Tally {
  return { kills: 0, serverKills: 0, acknowledged: 0, inDoubt: 0, committed: 0, rolledBack: 0, violations: [] };
}

function add(sum: Tally, { violations, ...figures }: Tally): void {
  for (const name of Object.keys(figures) as (keyof typeof figures)[]) sum[name] += figures[name];
  sum.violations.push(...violations);
}
