import type { BindKey } from "../../bind-key.ts";
import type { Engine } from "../../engine/engine.ts";
import { Owner } from "../../engine/pool/owner.ts";
import { catalogOf } from "../../engine/reflection/catalog-query.ts";
import { endPrepared } from "../../engine/two-phase/end-prepared.ts";
import { branchOf, parseGid } from "../../engine/two-phase/gid.ts";
import type { PreparedTransaction } from "../../engine/two-phase/two-phase.ts";
import { again } from "../../engine/waiting/again.ts";
import { ConnectionError } from "../../errors/database.ts";
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
  /** What the decision bind says; undefined if it says nothing: then its process is at it, or has died before. */
  readonly outcome: Outcome | undefined;
}

/** What `app.recover()` has done. */
export interface Recovery {
  /** What was committed, since the decision bind has committed. */
  readonly committed: readonly InDoubt[];
  /** What was rolled back, since it has not and never will. */
  readonly rolledBack: readonly InDoubt[];
  /** What was left as it is, for the next time: its process is just about to end it, or a server does not answer. */
  readonly left: readonly InDoubt[];
  /** The binds that could not be asked, and why. */
  readonly unreachable: readonly { readonly bindKey: BindKey; readonly error: unknown }[];
}

type Branch = Omit<InDoubt, "outcome">;

/** A branch, and the engine that has told of it. */
interface Found {
  readonly branch: Branch;
  readonly engine: Engine;
}

interface Findings {
  readonly found: readonly Found[];
  readonly unreachable: Recovery["unreachable"];
}

/**
 * What is prepared on the binds of an application and waits for its decision bind. What others have prepared is left out.
 *
 * @throws {OperationalError} if a bind cannot be asked
 */
export async function listInDoubt(engines: readonly Engine[], decisions: DecisionLog): Promise<InDoubt[]> {
  const { found, unreachable } = await findBranches(engines, decisions);
  if (unreachable[0] !== undefined) throw unreachable[0].error;
  const known = await decisions.decisions([...new Set(found.map(({ branch }) => branch.transactionId))]);
  return found.map(({ branch }) => ({ ...branch, outcome: known.get(branch.transactionId)?.outcome }));
}

/** Ends what is prepared and was left behind, each as its decision says. */
export async function recover(engines: readonly Engine[], decisions: DecisionLog): Promise<Recovery> {
  const { found, unreachable } = await findBranches(engines, decisions);
  const recovery = { committed: [] as InDoubt[], rolledBack: [] as InDoubt[], left: [] as InDoubt[], unreachable };
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
      const before = recovery.left.length;
      for (const { branch, engine } of group) {
        const one = { ...branch, outcome };
        const how = await end(engine, owner, branch.gid, outcome);
        if (how === "ended") ended.push(one);
        else if (how === "left") recovery.left.push(one);
      }
      const isWhole = recovery.left.length === before;
      // Parts on other binds may be out of sight. They need the row only if it says that they are to be committed.
      if (isWhole && (outcome === "aborted" || group.length === decision.branches)) decisions.settled(id);
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

/** What is prepared on each bind. A server that holds several binds may tell each of them of all. */
async function findBranches(engines: readonly Engine[], decisions: DecisionLog): Promise<Findings> {
  const domain = await decisions.domain();
  const names = new Map(engines.map(({ bindKey }) => [branchOf(bindKey), bindKey]));
  const asked = engines.filter((engine) => engine.twoPhase !== undefined && !engine.options.readOnly);
  const answers = await Promise.allSettled(asked.map((engine) => preparedOn(engine)));
  const found = new Map<string, Found>();
  const unreachable: { bindKey: BindKey; error: unknown }[] = [];
  for (const [place, answer] of answers.entries()) {
    const engine = asked[place]!;
    if (answer.status === "rejected") {
      unreachable.push({ bindKey: engine.bindKey, error: answer.reason });
      continue;
    }
    for (const { gid, preparedAt } of answer.value) {
      const parts = parseGid(gid);
      if (parts?.domain !== domain) continue;
      // Another application with the same decision bind may know the database by another key.
      const bindKey = names.get(parts.branch) ?? engine.bindKey;
      const branch = { bindKey, gid, transactionId: parts.transactionId, preparedAt };
      if (bindKey === engine.bindKey || !found.has(gid)) found.set(gid, { branch, engine });
    }
  }
  return { found: [...found.values()], unreachable };
}

function preparedOn(engine: Engine): Promise<readonly PreparedTransaction[]> {
  return again(
    (error) => error instanceof ConnectionError,
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
