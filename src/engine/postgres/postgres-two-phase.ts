import { sql } from "kysely";
import { stringProperty } from "../error-kind.ts";
import { literalGid, type TwoPhase } from "../two-phase/two-phase.ts";

/** `undefined_object`: no such transaction exists; `object_not_in_prerequisite_state`: another session is ending it. */
const ELSEWHERE = new Set(["42704", "55000"]);

/** Prepared transactions in PostgreSQL. */
export const postgresTwoPhase: TwoPhase = {
  async refusal(run) {
    const [row] = await run(
      sql<{ readonly most: string }>`select current_setting('max_prepared_transactions') as most`,
    );
    return row?.most === "0" ? "the server's setting max_prepared_transactions is 0" : undefined;
  },

  prepare: (gid) => [`prepare transaction ${literalGid(gid)}`],
  // A transaction that has failed answers with ROLLBACK, and not with an error.
  isPrepared: (command) => command?.startsWith("PREPARE") === true,
  holdsConnection: false,
  end: (gid, ending) => `${ending} prepared ${literalGid(gid)}`,

  async prepared(run) {
    const rows = await run(sql<{ readonly gid: string; readonly at: string }>`
      select gid, (extract(epoch from prepared) * 1000)::bigint::text as at
      from pg_prepared_xacts where database = current_database()`);
    return rows.map(({ gid, at }) => ({ gid, preparedAt: new Date(Number(at)) }));
  },

  isElsewhere: (error) => ELSEWHERE.has(stringProperty(error, "code") ?? ""),
};
