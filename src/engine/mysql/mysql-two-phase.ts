import { numberProperty, stringProperty } from "../error-kind.ts";
import { literalGid, type TwoPhase } from "../two-phase.ts";

/** XAER_NOTA: no such transaction, or it is still with another connection. */
const UNKNOWN_XID = 1397;

/** XA transactions in MySQL and MariaDB. */
export const mysqlTwoPhase: TwoPhase = {
  async refusal(run) {
    const [row] = await run("show global variables like 'wsrep_on'", []);
    return String(row?.["Value"] ?? "OFF").toUpperCase() === "ON"
      ? "a Galera cluster has no XA transactions (wsrep_on is ON)"
      : undefined;
  },

  begin: (gid) => `xa start ${literalGid(gid)}`,
  commitUnprepared: (gid) => [`xa end ${literalGid(gid)}`, `xa commit ${literalGid(gid)} one phase`],
  rollbackUnprepared: (gid) => [`xa end ${literalGid(gid)}`, `xa rollback ${literalGid(gid)}`],

  async prepare(run, gid) {
    await run(`xa end ${literalGid(gid)}`);
    await run(`xa prepare ${literalGid(gid)}`);
    return true;
  },

  holdsConnection: true,
  commitPrepared: (gid) => `xa commit ${literalGid(gid)}`,
  rollbackPrepared: (gid) => `xa rollback ${literalGid(gid)}`,

  async prepared(run) {
    return (await run("xa recover", [])).map(({ data }) => String(data));
  },

  isUnknownGid: (error) =>
    numberProperty(error, "errno") === UNKNOWN_XID || stringProperty(error, "sqlState") === "XAE04",
};
