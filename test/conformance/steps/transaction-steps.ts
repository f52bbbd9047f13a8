import { FormatError } from "../read/json.ts";
import type { StepHandlers } from "./step.ts";
import type { World } from "./world.ts";

/** Steps that store, commit and roll back. */
export const transactionSteps: StepHandlers = {
  flush: async (_, { session }) => {
    await session.flush();
    return null;
  },
  commit: async (_, { session }) => {
    await session.commit();
    return null;
  },
  rollback: async (_, { session }) => {
    await session.rollback();
    return null;
  },
  begin: (_, { session }) => {
    session.begin();
    return null;
  },
  begin_nested: async (step, { session, savepoints }) => {
    savepoints.set(step.text("as"), await session.beginNested());
    return null;
  },
  sp_commit: async (step, world) => {
    await savepoint(world, step.text("of")).commit();
    return null;
  },
  sp_rollback: async (step, world) => {
    await savepoint(world, step.text("of")).rollback();
    return null;
  },
  sp_active: (step, world) => savepoint(world, step.text("of")).isActive,
  connections: (_, { recorder }) => recorder.openBinds.sort(),
  in_transaction: (_, { session }) => ({
    in_transaction: session.inTransaction,
    nested: session.inNestedTransaction,
    active: session.isActive,
  }),
  // The session goes on being used, as after the original's `close`.
  close: async (_, { session }) => {
    await session.reset();
    return null;
  },
};

function savepoint({ savepoints }: World, name: string) {
  const found = savepoints.get(name);
  if (found === undefined) throw new FormatError(`the case has no savepoint ${name}`);
  return found;
}
