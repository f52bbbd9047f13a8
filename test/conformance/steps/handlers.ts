import type { Fields } from "../read/fields.ts";
import { FormatError } from "../read/json.ts";
import { contextSteps } from "./context-steps.ts";
import { databaseSteps } from "./database-steps.ts";
import { ddlSteps } from "./ddl-steps.ts";
import { entitySteps } from "./entity-steps.ts";
import { pageSteps } from "./page-steps.ts";
import { querySteps } from "./query-steps.ts";
import { recordSteps } from "./record-steps.ts";
import { signalSteps } from "./signal-steps.ts";
import { stateSteps } from "./state-steps.ts";
import type { StepHandler, StepHandlers } from "./step.ts";
import { transactionSteps } from "./transaction-steps.ts";

const handlers: StepHandlers = {
  ...entitySteps,
  ...stateSteps,
  ...transactionSteps,
  ...contextSteps,
  ...querySteps,
  ...pageSteps,
  ...ddlSteps,
  ...databaseSteps,
  ...signalSteps,
  ...recordSteps,
};

/** What does a step. @throws {FormatError} if there is no such step */
export function handlerOf(step: Fields): StepHandler {
  const op = step.text("op");
  if (!Object.hasOwn(handlers, op)) throw new FormatError(`the step ${op} is not known`);
  return handlers[op]!;
}
