import type { BindKey, Session } from "../../../src/index.ts";
import { Fields } from "../read/fields.ts";
import { asText, isObject, type Json } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";
import type { World } from "./world.ts";

type Target = NonNullable<Parameters<Session["getBind"]>[0]>;

/** What a step says of the bind. */
export interface GivenBind {
  readonly given: boolean;
  /** Whether the engine itself is named. */
  readonly isEngine: boolean;
  /** What names the bind, as the session's `getBind` takes it. */
  readonly target: Target;
  readonly bindKey: BindKey | undefined;
}

/**
 * Reads the bind that a step names beside its statement: by its engine, its key, a model, a table or another statement.
 * All of them are said with a bind key here.
 */
export function bindArguments(step: Fields, world: World): GivenBind {
  if (!step.has("bind_arguments")) return { given: false, isEngine: false, target: {}, bindKey: undefined };
  const given = new Fields(step.json("bind_arguments"), "bind_arguments");
  const isEngine = given.has("bind");
  const byKey = given.optionalText("bind") ?? given.optionalText("bind_key");
  const mapper = given.optionalText("mapper");
  const clause = given.json("clause");
  given.end();
  if (byKey !== undefined) return { given: true, isEngine, target: { bindKey: keyOf(byKey) }, bindKey: keyOf(byKey) };
  if (mapper !== undefined) {
    const model = world.schema.model(mapper);
    return { given: true, isEngine, target: { model }, bindKey: model.bindKey };
  }
  if (clause === undefined) return { given: false, isEngine, target: {}, bindKey: undefined };
  const target = targetOfClause(clause, world);
  return { given: true, isEngine, target, bindKey: world.chosen.unseen(() => world.session.getBind(target).bindKey) };
}

function targetOfClause(clause: Json, world: World): Target {
  if (isObject(clause)) return { statement: world.statement(clause).statement };
  return { table: world.schema.table(asText(clause, "a clause").slice(1)) };
}
