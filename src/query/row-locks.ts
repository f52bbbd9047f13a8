import { type RootOperationNode, type SelectModifier, SelectQueryNode } from "kysely";
import { bindLabel } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import { isLock, isWait } from "../engine/statement/lock-modifiers.ts";
import { UnsupportedError } from "../errors/configuration.ts";

const KEY_LOCKS: ReadonlySet<SelectModifier | undefined> = new Set(["ForNoKeyUpdate", "ForKeyShare"]);

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
      `${family.label} (${bindLabel(bindKey)}) does not lock the keys of rows alone. Use \`forUpdate\` or \`forShare\`. Nothing was sent.`,
      { bindKey },
    );
  }
  if (node.endModifiers.some(isWait)) {
    throw new UnsupportedError(
      `${family.label} (${bindLabel(bindKey)}) has no locks of rows that a statement could pass over or refuse to wait for. Leave \`skipLocked\` and \`noWait\` out. Nothing was sent.`,
      { bindKey },
    );
  }
  return { ...node, endModifiers: node.endModifiers.filter(({ modifier }) => !isLock(modifier)) };
}
