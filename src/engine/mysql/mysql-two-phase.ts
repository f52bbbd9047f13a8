import { sql } from "kysely";
import { numberProperty } from "../error-kind.ts";
import { literalGid, type TwoPhase } from "../two-phase/two-phase.ts";

/** XAER_NOTA: there is no such transaction, or it is still with the connection that prepared it. */
const UNKNOWN_XID = 1397;
/** XA_RBROLLBACK: MariaDB's answer for one that changed nothing, once the connection that prepared it has gone. */
const ROLLED_BACK = 1402;
/** The format of ids that are given as one text. */
const TEXT_FORMAT = 1;

interface RecoverRow {
  readonly formatID: unknown;
  readonly bqual_length: unknown;
  /** Text, or its bytes. */
  readonly data: unknown;
}

/** XA transactions in MySQL and MariaDB. */
export const mysqlTwoPhase: TwoPhase = {
  async refusal(run) {
    const [row] = await run(sql<{ readonly Value: string }>`show global variables like 'wsrep_on'`);
    return row?.Value.toUpperCase() === "ON"
      ? "a Galera cluster has no XA transactions (the setting wsrep_on is ON)"
      : undefined;
  },

  branch: {
    begin: (gid, { isolationLevel }) => [
      ...(isolationLevel === undefined ? [] : [`set transaction isolation level ${isolationLevel}`]),
      `xa start ${literalGid(gid)}`,
    ],
    commit: (gid) => [`xa end ${literalGid(gid)}`, `xa commit ${literalGid(gid)} one phase`],
    // After a deadlock the server has ended it already.
    rollback: (gid) => [`xa end ${literalGid(gid)}`, `xa rollback ${literalGid(gid)}`],
  },

  prepare: (gid) => [`xa end ${literalGid(gid)}`, `xa prepare ${literalGid(gid)}`],
  holdsConnection: true,
  end: (gid, ending) => `xa ${ending} ${literalGid(gid)}`,

  async prepared(run) {
    const rows = await run(sql<RecoverRow>`xa recover`);
    return rows
      .filter(({ formatID, bqual_length: rest }) => Number(formatID) === TEXT_FORMAT && Number(rest) === 0)
      .map(({ data }) => ({ gid: String(data), preparedAt: undefined }));
  },

  isElsewhere: (error) => [UNKNOWN_XID, ROLLED_BACK].includes(numberProperty(error, "errno") ?? 0),
};
