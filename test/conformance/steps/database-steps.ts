import { keyOf } from "../read/keys.ts";
import type { StepHandlers } from "./step.ts";

/** Steps beside the session: what others do to the databases, what is committed in them, and what is to fail. */
export const databaseSteps: StepHandlers = {
  sql: async (step, { databases }) => {
    await databases.run(keyOf(step.text("bind")), step.text("text"));
    return null;
  },
  committed: (step, { databases }) => databases.rowsOf(keyOf(step.text("bind")), step.text("table")),
  inject_failure: (step, { recorder }) => {
    recorder.inject(step.text("bind"), step.text("at"));
    return null;
  },
  // What others do to the bind's database: an operator, a server that goes down.
  kill_connections: async (step, { databases }) => {
    await databases.postgres.killConnections(databases.nameOf(keyOf(step.text("bind"))));
    return null;
  },
  rollback_prepared_outside: async (step, { databases }) => {
    await databases.postgres.rollbackPrepared(databases.nameOf(keyOf(step.text("bind"))));
    return null;
  },
  prepared_transactions: (_, { databases }) => databases.postgres.preparedTransactions(),
};
