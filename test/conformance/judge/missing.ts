import type { Case } from "../read/cases.ts";
import { isList, type Json, memberOf } from "../read/json.ts";

/** The reasons for which cases are skipped: the subject of the issue that will build a feature, or why there is none. */
const REASONS = {
  relations: "Relations across binds",
  byHand: "None: a commit prepares what it has to, and a session is not prepared by hand",
  textForm: "None: the text form of an object is Node's own (util.inspect)",
  expire: "None: nothing expires; a property keeps its value, and refresh() reads it again",
  remove: "None: a context has one session for as long as it lives",
  identityMap: "None: the identity map holds its objects until the session ends, and does not count them",
  mixins: "None: a class extends one class, so no mixin names a bind, a table or a column",
  computedNames: "None: a table's name is written where its class is made, not computed for each class",
  ownMetadata: "None: a table has a bind key and no metadata object besides, so neither wins over the other",
} as const;

/** Something that a case may use and that the library does not have. */
interface Missing {
  readonly reason: string;
  uses(one: Case, steps: readonly Json[]): boolean;
}

const op = (step: Json) => memberOf(step, "op");
const usesOp =
  (...names: readonly string[]) =>
  (_: Case, steps: readonly Json[]) =>
    steps.some((step) => names.includes(String(op(step))));

const usesItem =
  (matches: (item: Json) => boolean) =>
  ({ inputs }: Case, steps: readonly Json[]) =>
    itemsOf(inputs, steps).some(matches);
const has = (item: Json, name: string) => memberOf(item, name) !== undefined;

/**
 * Features that the library does not have. The runner does not answer in its place: a case that needs one of them says
 * nothing about the library.
 */
const MISSING: readonly Missing[] = [
  // Objects that refer to each other: lazy and eager loads, many-to-many, cascades.
  { reason: REASONS.relations, uses: usesItem((item) => has(item, "relationships")) },
  { reason: REASONS.byHand, uses: usesOp("prepare") },
  { reason: REASONS.textForm, uses: usesOp("repr") },
  { reason: REASONS.expire, uses: usesOp("expire", "expire_all") },
  { reason: REASONS.remove, uses: usesOp("remove") },
  { reason: REASONS.identityMap, uses: usesOp("forget", "identity_map_size") },
  { reason: REASONS.mixins, uses: usesItem((item) => memberOf(item, "mixin") === true) },
  { reason: REASONS.computedNames, uses: usesItem((item) => has(item, "tablename_declared_attr")) },
  { reason: REASONS.ownMetadata, uses: usesItem((item) => has(item, "metadata") && has(item, "bind")) },
];

/** Why a case cannot be played: what the library lacks; `undefined` where it has everything. */
export function missingFor(one: Case): string | undefined {
  const { steps, then } = one.inputs;
  const all = [...(isList(steps) ? steps : []), ...(isList(then) ? then : [])];
  return MISSING.find(({ uses }) => uses(one, all))?.reason;
}

/** The classes and tables that a case defines, in its schema and in steps. */
function itemsOf({ schema }: Case["inputs"], steps: readonly Json[]): readonly Json[] {
  return [...(isList(schema) ? schema : []), ...steps.flatMap((step) => memberOf(step, "item") ?? [])];
}
