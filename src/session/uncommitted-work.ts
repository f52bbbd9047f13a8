import { bindLabel } from "../bind-key.ts";
import type { Entity } from "../model/entity.ts";
import type { UnitOfWork } from "./entities/unit-of-work.ts";
import type { Transactions } from "./transaction/transactions.ts";

type Verb = "new" | "changed" | "deleted" | "changed after it left the session";

/** The work of a session that is neither committed nor discarded. */
export interface UncommittedWork {
  /** The entities whose changes would be lost. */
  readonly entities: readonly Entity[];
  /** The work in words: how many entities of which class, and the binds on which statements have written. */
  readonly summary: string;
}

/** The work that would be lost if a session ended now; undefined where all is committed. */
export function uncommittedWork(work: UnitOfWork, transactions: Transactions): UncommittedWork | undefined {
  if (work.isEmpty && !work.hasDeparted && !transactions.isOpen) return undefined;
  const found = new Map<Entity, Verb>();
  const written: string[] = [];
  for (const bind of transactions.open()) {
    if (!bind.wrote) continue;
    const before = found.size;
    for (const { entity, kind } of bind.wholeUndo) {
      if (kind === "inserted") found.set(entity, "new");
      else if (kind !== "read") found.set(entity, kind === "deleted" ? "deleted" : "changed");
    }
    if (found.size === before) written.push(bindLabel(bind.engine.bindKey));
  }
  const { added, changed, deleted } = work.pending();
  for (const entity of added) found.set(entity, "new");
  for (const entity of changed) if (!found.has(entity)) found.set(entity, "changed");
  for (const entity of deleted) found.set(entity, "deleted");
  for (const entity of work.changedOutside()) found.set(entity, "changed after it left the session");
  if (found.size === 0 && written.length === 0) return undefined;
  return { entities: [...found.keys()], summary: summaryOf(found, written) };
}

function summaryOf(found: ReadonlyMap<Entity, Verb>, written: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const [entity, verb] of found) {
    const name = `${entity.constructor.name} (${verb})`;
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const entities = [...counts].map(([name, count]) => `${count} ${name}`);
  return [...entities, ...written.map((bind) => `statements on ${bind}`)].join(", ");
}
