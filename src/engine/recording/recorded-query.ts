import { callSite } from "./call-site.ts";
import type { FinishedStatementEvent, StatementEvent } from "./echo.ts";

/**
 * A statement that was sent while queries were recorded, and its outcome. Begin, commit and the like are not recorded.
 *
 * @see Flask-SQLAlchemy: what `get_recorded_queries` lists
 */
export interface RecordedQuery extends FinishedStatementEvent {
  /** When it was sent. */
  readonly start: Date;
  /** Where the application asked for it, as `file:line:column`; absent where the stack does not tell. */
  readonly location?: string;
}

/** Runs a statement and notes it when it is done. */
export async function recorded<T>(
  record: RecordedQuery[],
  { bindKey, sql, parameters }: StatementEvent,
  run: () => Promise<T>,
): Promise<T> {
  const location = callSite();
  const start = new Date();
  const began = performance.now();
  const note = (outcome: Pick<RecordedQuery, "error">) => {
    const duration = performance.now() - began;
    record.push({
      bindKey,
      sql,
      parameters,
      start,
      duration,
      ...(location === undefined ? {} : { location }),
      ...outcome,
    });
  };
  try {
    const result = await run();
    note({});
    return result;
  } catch (error) {
    note({ error });
    throw error;
  }
}
