import type { StepHandlers } from "./step.ts";

/** Steps that enter and leave contexts. */
export const contextSteps: StepHandlers = {
  enter_context: (_, world) => {
    world.enterContext();
    return null;
  },
  exit_context: async (_, world) => {
    await world.exitContext();
    return null;
  },
  session_id: (_, { session, sessions }) => {
    if (!sessions.includes(session)) sessions.push(session);
    return `session${sessions.indexOf(session) + 1}`;
  },
};
