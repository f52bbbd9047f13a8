import type { SelectQueryNode } from "kysely";
import { LruCache } from "../../engine/lru-cache.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import { Template } from "../prepared/template.ts";
import type { EntitySelection } from "./entity-selection.ts";
import { includeOf, rootSelection, type SelectParts, statementOf, withDraft } from "./select-parts.ts";
import type { SelectResult, SelectTemplate } from "./select-runner.ts";

/** How many shapes of selects are known of a model. */
const MOST_SHAPES = 256;

const known = new WeakMap<EntitySelection, LruCache<string, SelectTemplate>>();

/**
 * What all selects of one shape have in common, made when the first of them is run; undefined for a select of which only
 * the tree tells its shape.
 *
 * @param terminal a name for what `change` does
 */
export function knownSelect(
  parts: SelectParts,
  terminal: string,
  change: (node: SelectQueryNode) => SelectQueryNode,
): SelectTemplate | undefined {
  const { draft, readsRows, joined, text } = parts;
  if (draft.shape === undefined || readsRows || joined.length > 0 || text !== undefined) return undefined;
  const selection = rootSelection(parts);
  let shapes = known.get(selection);
  if (shapes === undefined) {
    shapes = new LruCache(MOST_SHAPES);
    known.set(selection, shapes);
  }
  const shape = `${terminal}${draft.shape}`;
  let select = shapes.get(shape);
  if (select === undefined) {
    const { node, result } = statementOf({ ...withDraft(parts, draft.template), include: undefined });
    const names = new Set(draft.values.map((_, position) => String(position)));
    select = { template: new Template(change(node), names), result };
    shapes.set(shape, select);
  }
  const include = includeOf(parts);
  // A select of entities, as all are that get here, may load relations of them.
  return include === undefined ? select : { ...select, result: { ...select.result, include } as SelectResult };
}

/** The values of a select by the names of their parameters. */
export function valuesByPosition({ draft }: SelectParts): GivenValues {
  // The names are the positions in the list.
  return draft.values as unknown as GivenValues;
}
