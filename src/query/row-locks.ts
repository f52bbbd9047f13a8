import { type RootOperationNode, type SelectModifier, SelectQueryNode } from "kysely";
import { bindLabel } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import { UnsupportedError } from "../errors/configuration.ts";

const LOCKS: ReadonlySet<SelectModifier | undefined> = new Set([
  "ForUpdate",
  "ForNoKeyUpdate",
  "ForShare",
  "ForKeyShare",
]);
const KEY_LOCKS: ReadonlySet<SelectModifier | undefined> = new Set(["ForNoKeyUpdate", "ForKeyShare"]);
const WAITS: ReadonlySet<SelectModifier | undefined> = new Set(["NoWait", "SkipLocked"]);

/** Whether a modifier of a select locks its rows. */
export function isLock(modifier: SelectModifier | undefined): boolean {
  return LOCKS.has(modifier);
}

/**
 * A select without its lock, where a database has no locks of rows: a transaction that writes has all of it to itself.
 *
 * @throws {UnsupportedError} if the select does not want to wait for locks, or the database locks rows and not their keys
 */
export function withoutRowLocks(node: RootOperationNode, { family, bindKey }: Engine): RootOperationNode {
  if (!SelectQueryNode.is(node) || node.endModifiers === undefined) return node;
  if (family.locksRows) {
    if (family.locksKeys || !node.endModifiers.some(({ modifier }) => KEY_LOCKS.has(modifier))) return node;
    throw new UnsupportedError(
      `${family.label} (${bindLabel(bindKey)}) does not lock the keys of rows alone. Use \`forUpdate\` or \`forShare\`.`,
      { bindKey },
    );
  }
  if (node.endModifiers.some(({ modifier }) => WAITS.has(modifier))) {
    throw new UnsupportedError(
      `${family.label} (${bindLabel(bindKey)}) has no locks of rows that a statement could pass over or refuse to wait for.`,
      { bindKey },
    );
  }
  return { ...node, endModifiers: node.endModifiers.filter(({ modifier }) => !isLock(modifier)) };
}
