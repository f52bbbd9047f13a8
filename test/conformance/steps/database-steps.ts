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
  prepared_transactions: (_, { databases }) => databases.postgres.preparedTransactions(),
};
