import type { BindKey } from "../../bind-key.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import type { ModelChange } from "../session-events.ts";
import type { CommitResult } from "./commit-result.ts";
import type { FlushTarget } from "./flush-target.ts";
import type { UndoLog } from "./undo-log.ts";

/** Changes to entities on each bind. */
export type UndoLogs = ReadonlyMap<FlushTarget, UndoLog>;

/** The committed changes, each entity once. */
export function committedChanges(
  work: UnitOfWork,
  { statuses }: CommitResult<FlushTarget>,
  logs: UndoLogs,
): ModelChange[] {
  return [...logs].flatMap(([bind, log]) => (statuses.get(bind) === "committed" ? changesOf(work, log) : []));
}

/** Takes note of what was committed. */
export function keepCommitted(work: UnitOfWork, { statuses }: CommitResult<FlushTarget>, logs: UndoLogs): void {
  if (!work.hasGone) return;
  for (const [bind, log] of logs) {
    if (statuses.get(bind) === "committed") for (const { entity } of log) work.settleRemoved(entity);
  }
}

/** Restores entities to what the database has, and removes them from the session if that is unknown. */
export function undoUncommitted(work: UnitOfWork, { statuses }: CommitResult<FlushTarget>, logs: UndoLogs): void {
  const undone = new Set<BindKey>();
  for (const [bind, log] of logs) {
    const status = statuses.get(bind);
    if (status === "unknown" || status === "inDoubt") detach(work, log);
    if (status !== "failed" && status !== "rolledBack") continue;
    undo(work, log);
    undone.add(bind.engine.bindKey);
  }
  work.discardPending((mapper) => undone.has(mapper.table.bindKey));
}

/** Gives entities back what they were. */
export function undo(work: UnitOfWork, log: UndoLog): void {
  for (const one of log.reversed()) work.undo(one);
}

function changesOf(work: UnitOfWork, log: UndoLog): ModelChange[] {
  const changes: ModelChange[] = [];
  for (const { entity, kind } of log) {
    if (kind === "read") continue;
    const isGone = work.isGone(entity);
    if (kind === "inserted" && isGone) continue;
    changes.push([entity, kind === "inserted" ? "insert" : isGone ? "delete" : "update"]);
  }
  return changes;
}

/** Removes entities whose rows only the database knows. */
export function detach(work: UnitOfWork, log: UndoLog): void {
  for (const { entity, kind } of log) if (kind !== "read" && work.owns(entity)) work.expunge(entity);
}
