import { type Entity, stateOf } from "../../../src/index.ts";
import type { Json } from "../read/json.ts";
import type { StepHandlers } from "./step.ts";
import type { World } from "./world.ts";

/** Steps that look at objects and at what the session knows of them. */
export const stateSteps: StepHandlers = {
  state: (step, { objects }) => stateOf(objects.get(step.text("obj"))),
  states: (step, { objects }) =>
    Object.fromEntries(step.texts("objs").map((label) => [label, stateOf(objects.get(label))])),
  in_session: (step, { session, objects }) => session.contains(objects.get(step.text("obj"))),
  lists: (_, world) => {
    const { session } = world;
    return {
      new: labels(session.new, world),
      dirty: labels(session.dirty, world),
      deleted: labels(session.deleted, world),
    };
  },
  modified: (step, { session, objects }) => session.isModified(objects.get(step.text("obj"))),
  loaded: (step, { objects }) => Object.keys(objects.get(step.text("obj"))).sort(),
};

function labels(entities: Iterable<Entity>, { objects }: World): Json {
  return [...entities].map((entity) => objects.labelOf(entity));
}
