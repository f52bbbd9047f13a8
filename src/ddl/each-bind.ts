import { DdlError, type DdlOperation, type DdlOutcome } from "../errors/ddl.ts";
import type { BindTarget } from "./bind-target.ts";

/** Does the work on one bind, adding to `tables` the name of each table that is made, dropped or read. */
export type BindWork = (target: BindTarget, tables: string[]) => Promise<void>;

/**
 * Does the work on all binds side by side; one that fails does not keep the others from theirs.
 *
 * @throws {DdlError} if a bind failed, when all are done
 */
export async function onEachBind(
  operation: DdlOperation,
  targets: readonly BindTarget[],
  work: BindWork,
): Promise<void> {
  const outcomes = await Promise.all(targets.map((target) => outcomeOn(target, work)));
  if (outcomes.some(({ failure }) => failure !== undefined)) throw new DdlError(operation, outcomes);
}

async function outcomeOn(target: BindTarget, work: BindWork): Promise<DdlOutcome> {
  const { bindKey, family } = target.engine;
  const tables: string[] = [];
  try {
    await work(target, tables);
    return { bindKey, tables };
  } catch (cause) {
    return { bindKey, tables: family.transactionalDdl ? [] : tables, failure: { cause } };
  }
}
