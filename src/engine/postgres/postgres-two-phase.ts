import { stringProperty } from "../error-kind.ts";
import { literalGid, type TwoPhase } from "../two-phase.ts";

/** Prepared transactions in PostgreSQL. */
export const postgresTwoPhase: TwoPhase = {
  async refusal(run) {
    const [row] = await run("show max_prepared_transactions", []);
    return row?.["max_prepared_transactions"] === "0"
      ? "the server's setting max_prepared_transactions is 0"
      : undefined;
  },

  async prepare(run, gid) {
    // A transaction that has failed answers with ROLLBACK, and not with an error.
    const { command } = await run(`prepare transaction ${literalGid(gid)}`);
    return command === "PREPARE TRANSACTION" || command === "PREPARE";
  },

  holdsConnection: false,
  commitPrepared: (gid) => `commit prepared ${literalGid(gid)}`,
  rollbackPrepared: (gid) => `rollback prepared ${literalGid(gid)}`,

  async prepared(run) {
    const rows = await run("select gid from pg_prepared_xacts where database = current_database()", []);
    return rows.map(({ gid }) => String(gid));
  },

  isUnknownGid: (error) => stringProperty(error, "code") === "42704",
};
