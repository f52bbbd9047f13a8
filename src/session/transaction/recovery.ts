import { type BindKey, bindLabel } from "../../bind-key.ts";
import type { Engine } from "../../engine/engine.ts";
import { Owner } from "../../engine/pool/owner.ts";
import { catalogOf } from "../../engine/reflection/catalog-query.ts";
import { endPrepared } from "../../engine/two-phase/end-prepared.ts";
import { branchOf, type Decider, parseGid } from "../../engine/two-phase/gid.ts";
import type { PreparedTransaction } from "../../engine/two-phase/two-phase.ts";
import { retry } from "../../engine/waiting/retry.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import type { DecisionLog, Outcome } from "./decision-log.ts";

/** One bind's part in a transaction over several, prepared and not ended. */
export interface InDoubt {
  /** The bind. */
  readonly bindKey: BindKey;
  /** The id under which its server keeps it. */
  readonly gid: string;
  /** What all parts of the transaction have in common. */
  readonly transactionId: string;
  /** When it was prepared; undefined where the server does not tell, as MySQL and MariaDB. */
  readonly preparedAt: Date | undefined;
  /** The answer of the decision bind; undefined without one: then its process is running, or has died before. */
  readonly outcome: Outcome | undefined;
  /** Why recovery does not end it, and what to do; absent where it does. */
  readonly refused?: string;
}

/** Options of `app.recover()`. */
export interface RecoveryOptions {
  /**
   * Former decision databases that are gone for good and whose place this application's has taken, as `refused` names
   * them: what they were to decide is decided here. Never name one that is still in use.
   */
  readonly adopt?: readonly string[];
}

/** What `app.recover()` has done. */
export interface Recovery {
  /** Committed, because the decision bind has committed. */
  readonly committed: readonly InDoubt[];
  /** Rolled back, because the decision bind has not committed and never will. */
  readonly rolledBack: readonly InDoubt[];
  /**
   * Left for the next run: the process that prepared it is about to end it, or a server does not answer. `refused` says why
   * recovery cannot prove that a transaction is its own.
   */
  readonly left: readonly InDoubt[];
  /** The binds that could not be asked, and why. */
  readonly unreachable: readonly { readonly bindKey: BindKey; readonly error: unknown }[];
}

type Branch = Omit<InDoubt, "outcome" | "refused">;

/** A branch, and the engine that has told of it. */
interface Found {
  readonly branch: Branch;
  readonly engine: Engine;
}

interface Findings {
  /** What may be ended, each with the engine of its own bind. */
  readonly found: readonly Found[];
  /** What may not. */
  readonly left: readonly InDoubt[];
  readonly unreachable: Recovery["unreachable"];
}

/**
 * The prepared transactions on the binds of an application that wait for its decision bind, without those of others.
 *
 * @throws {OperationalError} if a bind cannot be asked
 * @throws {DecisionsLostError} if the decision bind has lost the name of its decisions
 */
export async function listInDoubt(engines: readonly Engine[], decisions: DecisionLog): Promise<InDoubt[]> {
  const { found, left, unreachable } = await findBranches(engines, await judgeOf(decisions, []));
  if (unreachable[0] !== undefined) throw unreachable[0].error;
  const known = await decisions.decisions([...new Set(found.map(({ branch }) => branch.transactionId))]);
  return [...found.map(({ branch }) => ({ ...branch, outcome: known.get(branch.transactionId)?.outcome })), ...left];
}

/**
 * Ends what is prepared and was left behind, each as its decision says.
 *
 * @param adopted former decision databases whose place the decision bind has taken
 */
export async function recover(
  engines: readonly Engine[],
  decisions: DecisionLog,
  adopted: readonly string[],
): Promise<Recovery> {
  const { found, left, unreachable } = await findBranches(engines, await judgeOf(decisions, adopted));
  const recovery = { committed: [] as InDoubt[], rolledBack: [] as InDoubt[], left: [...left], unreachable };
  const owner = new Owner("recovery");
  owner.begin();
  try {
    for (const [id, group] of Map.groupBy(found, ({ branch }) => branch.transactionId)) {
      const decision = await decisions.claim(id);
      if (decision === "open") {
        recovery.left.push(...group.map(({ branch }) => ({ ...branch, outcome: undefined })));
        continue;
      }
      const { outcome } = decision;
      const ended = outcome === "committed" ? recovery.committed : recovery.rolledBack;
      for (const { branch, engine } of group) {
        const one = { ...branch, outcome };
        const how = await end(engine, owner, branch.gid, outcome);
        if (how === "ended") ended.push(one);
        else if (how === "left") recovery.left.push(one);
      }
      const isWhole = !recovery.left.some(({ transactionId }) => transactionId === id);
      // Binds that do not answer may hold other branches. Invisible branches need the row only if they must be committed.
      const isAll = unreachable.length === 0 && (outcome === "aborted" || group.length === decision.branches);
      if (isWhole && isAll) decisions.settled(id);
    }
    // Rows that stay need space and nothing else.
    await decisions.flush().catch(() => {});
  } finally {
    owner.end();
  }
  return recovery;
}

async function end(engine: Engine, owner: Owner, gid: string, outcome: Outcome): Promise<"ended" | "gone" | "left"> {
  try {
    return await endPrepared(engine, owner, gid, outcome === "committed" ? "commit" : "rollback");
  } catch {
    return "left";
  }
}

/** The prepared transactions on each bind. A branch is ended only through the engine of its own bind. */
async function findBranches(engines: readonly Engine[], judge: Judge): Promise<Findings> {
  const owners = new Map(engines.map((engine) => [branchOf(engine.bindKey), engine]));
  const asked = engines.filter((engine) => engine.twoPhase !== undefined && !engine.options.readOnly);
  const answers = await Promise.allSettled(asked.map((engine) => preparedOn(engine)));
  const found = new Map<string, Found>();
  const elsewhere = new Map<string, Found & { readonly own: Engine | undefined }>();
  const left = new Map<string, InDoubt>();
  const unreachable: { bindKey: BindKey; error: unknown }[] = [];
  for (const [place, answer] of answers.entries()) {
    const engine = asked[place]!;
    if (answer.status === "rejected") {
      unreachable.push({ bindKey: engine.bindKey, error: answer.reason });
      continue;
    }
    for (const { gid, preparedAt } of answer.value) {
      const parts = parseGid(gid);
      const verdict = parts === undefined ? "foreign" : judge(parts);
      if (parts === undefined || verdict === "foreign") continue;
      const own = owners.get(parts.branch);
      const branch = { bindKey: engine.bindKey, gid, transactionId: parts.transactionId, preparedAt };
      if (verdict !== "own") left.set(gid, { ...branch, outcome: undefined, refused: verdict });
      else if (own === engine) found.set(gid, { branch, engine });
      else elsewhere.set(gid, { branch, engine, own });
    }
  }
  const silent = new Set(unreachable.map(({ bindKey }) => bindKey));
  for (const [gid, { branch, engine, own }] of elsewhere) {
    // A server that holds several binds may tell each of them of all.
    if (found.has(gid)) continue;
    if (own !== undefined && silent.has(own.bindKey)) {
      left.set(gid, { ...branch, bindKey: own.bindKey, outcome: undefined });
    } else if ((await preparedOn(engine)).some((one) => one.gid === gid)) {
      left.set(gid, { ...branch, outcome: undefined, refused: strayReason(engine, own) });
    }
  }
  return { found: [...found.values()], left: [...left.values()], unreachable };
}

function strayReason({ bindKey }: Engine, own: Engine | undefined): string {
  const where = bindLabel(bindKey);
  if (own === undefined) {
    return (
      `It was prepared for a bind that this application does not have, on the server of ${where}. Recover with the ` +
      "application that has prepared it."
    );
  }
  return (
    `It was prepared for ${bindLabel(own.bindKey)}, whose database does not have it: the server of ${where} is a replica ` +
    "or a copy of that server. End the transaction there, or by hand on the copy."
  );
}

/** Whether this application decides on a prepared transaction; the text says why not, where it might seem so. */
type Judge = (decider: Decider) => "own" | "foreign" | (string & {});

async function judgeOf(decisions: DecisionLog, adopted: readonly string[]): Promise<Judge> {
  const { domain, database } = await decisions.currentDecider();
  const where = bindLabel(decisions.engine.bindKey);
  return (decider) => {
    const isHere = decider.database === database || adopted.includes(decider.database);
    if (decider.domain === domain) {
      if (isHere) return "own";
      return (
        `It is decided by the database "${decider.database}", and that of ${where} is "${database}": one is a copy of ` +
        "the other, or was promoted or moved. Recover with an application that uses the first one. Where that is gone " +
        `for good, and this one has taken its place: \`app.recover({ adopt: ["${decider.database}"] })\`.`
      );
    }
    if (decider.database !== database) return "foreign";
    return (
      `It is decided by the domain "${decider.domain}", which the table multibind_decision of ${where} had before it was ` +
      `made anew. Store that name in the row "domain" again, recover, and see that nothing is left.`
    );
  };
}

function preparedOn(engine: Engine): Promise<readonly PreparedTransaction[]> {
  return retry(
    (error) => error instanceof DatabaseConnectionError,
    async () => {
      const connection = await engine.connect({ use: "read" });
      try {
        return await engine.twoPhase!.prepared(catalogOf(connection));
      } finally {
        await connection.release();
      }
    },
  );
}
