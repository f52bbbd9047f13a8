import type { BindKey } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { asText, isObject, type Json } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";
import type { World } from "./world.ts";

/** What a step says of the bind. */
export interface GivenBind {
  readonly given: boolean;
  /** Whether the engine itself is named. */
  readonly isEngine: boolean;
  readonly bindKey: BindKey | undefined;
}

/**
 * Reads the bind that a step names beside its statement: by its engine, its key, a model, a table or another statement.
 * All of them are said with a bind key here.
 */
export function bindArguments(step: Fields, world: World): GivenBind {
  if (!step.has("bind_arguments")) return { given: false, isEngine: false, bindKey: undefined };
  const given = new Fields(step.json("bind_arguments"), "bind_arguments");
  const isEngine = given.has("bind");
  const byKey = given.optionalText("bind") ?? given.optionalText("bind_key");
  const mapper = given.optionalText("mapper");
  const clause = given.json("clause");
  given.end();
  if (byKey !== undefined) return { given: true, isEngine, bindKey: keyOf(byKey) };
  if (mapper !== undefined) return { given: true, isEngine, bindKey: world.schema.model(mapper).bindKey };
  return {
    given: clause !== undefined,
    isEngine,
    bindKey: clause === undefined ? undefined : bindOfClause(clause, world),
  };
}

function bindOfClause(clause: Json, world: World): BindKey {
  if (!isObject(clause)) return world.schema.table(asText(clause, "a clause").slice(1)).bindKey;
  const { statement } = world.statement(clause);
  return world.chosen.unseen(() => world.session.getBind({ statement }).bindKey);
}
