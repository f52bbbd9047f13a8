import { announcements } from "./rules/steps/announcements.ts";
import { autoflushOfTheBind } from "./rules/steps/autoflush.ts";
import { ddlOnEachBind } from "./rules/steps/ddl.ts";
import { childrenReadAlong, chosenAsSet, failedFlush, flushOrder } from "./rules/steps/flush.ts";
import { contextsRollBack, deletedStillBelong, sequencesGoOn } from "./rules/steps/objects.ts";
import { pagesHaveAMaximum } from "./rules/steps/pages.ts";
import { recordsSayMore } from "./rules/steps/records.ts";
import { refusedCommitEnds } from "./rules/steps/refused-commit.ts";
import { routingByTables } from "./rules/steps/routing.ts";
import {
  emptyTransactions,
  oneStatementCommits,
  readsHoldNothing,
  savepointsEndOnce,
  sideBySide,
  transactionFlags,
} from "./rules/steps/transactions.ts";
import { oneBindDecides } from "./rules/steps/two-phase.ts";
import {
  defaultsAtAdd,
  keysAreChecked,
  nothingExpires,
  noWarnings,
  refusedFlushChangesNothing,
} from "./rules/steps/values.ts";
import type { StepsNormalisation } from "./rules/subject.ts";

export { configNormalisations } from "./rules/config.ts";
export { modelsNormalisations } from "./rules/models.ts";

/**
 * Where multibind differs from the original in whole classes of cases with steps: rules that change what a case
 * recorded into what it means for multibind, in this order. Each says why; what is particular to one case is in
 * differences.ts.
 */
export const stepsNormalisations: readonly StepsNormalisation[] = [
  noWarnings,
  routingByTables,
  keysAreChecked,
  defaultsAtAdd,
  nothingExpires,
  refusedFlushChangesNothing,
  deletedStillBelong,
  sequencesGoOn,
  contextsRollBack,
  autoflushOfTheBind,
  ddlOnEachBind,
  refusedCommitEnds,
  oneBindDecides,
  readsHoldNothing,
  savepointsEndOnce,
  failedFlush,
  flushOrder,
  childrenReadAlong,
  emptyTransactions,
  oneStatementCommits,
  sideBySide,
  transactionFlags,
  chosenAsSet,
  announcements,
  pagesHaveAMaximum,
  recordsSayMore,
];
