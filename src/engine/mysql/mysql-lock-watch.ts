import type { LockWatch } from "../waiting/lock-watch.ts";
import { serverOf } from "./mysql-cancel.ts";
import type { MariadbConnection } from "./mysql-module.ts";
import type { OpenConnection } from "./mysql-open.ts";

interface Edge {
  readonly waiting: unknown;
  readonly blocking: unknown;
}

const MARIADB_EDGES = `
  select r.trx_mysql_thread_id as waiting, b.trx_mysql_thread_id as blocking
  from information_schema.innodb_lock_waits w
    join information_schema.innodb_trx r on r.trx_id = w.requesting_trx_id
    join information_schema.innodb_trx b on b.trx_id = w.blocking_trx_id`;
const MYSQL_EDGES = `
  select r.processlist_id as waiting, b.processlist_id as blocking
  from performance_schema.data_lock_waits w
    join performance_schema.threads r on r.thread_id = w.requesting_thread_id
    join performance_schema.threads b on b.thread_id = w.blocking_thread_id`;
/**
 * The transactions that may hold the table for which a connection waits: the server does not say whose it is, so all of
 * the same database.
 */
const TABLE_HOLDERS = `
  select t.trx_mysql_thread_id as blocking
  from information_schema.processlist p
    join information_schema.processlist o on o.db <=> p.db and o.id <> p.id
    join information_schema.innodb_trx t on t.trx_mysql_thread_id = o.id
  where p.id = ? and (p.state like '%metadata lock' or p.state = 'Waiting for table flush')`;

/**
 * Opens a watch over a connection to MySQL or MariaDB. The servers want the right PROCESS for it.
 *
 * @param another makes another connection to the same address
 * @param threadId the number of the connection that is watched
 * @param server where that is
 * @throws if the other connection leads to another server
 */
export async function watchMysqlLocks(
  another: () => Promise<OpenConnection>,
  threadId: number,
  server: string,
): Promise<LockWatch> {
  const { connection, socket } = await another();
  const close = () => void connection.end().catch(() => socket?.destroy());
  try {
    if ((await serverOf(connection)) !== server) throw new Error("Another server listens at the same address.");
    return { server, waitsFor: (held) => waitsFor(connection, threadId, held), close };
  } catch (error) {
    close();
    throw error;
  }
}

async function waitsFor(
  connection: MariadbConnection,
  threadId: number,
  held: ReadonlySet<number>,
): Promise<number | undefined> {
  const isMariadb = connection.info?.isMariaDB() === true;
  // The query gives rows of two numbers.
  const edges = (await connection.query(isMariadb ? MARIADB_EDGES : MYSQL_EDGES)) as readonly Edge[];
  const reached = new Set([threadId]);
  for (const one of reached) {
    if (held.has(one)) return one;
    for (const { waiting, blocking } of edges) if (Number(waiting) === one) reached.add(Number(blocking));
  }
  const holders = (await connection.query(TABLE_HOLDERS, [threadId])) as readonly Pick<Edge, "blocking">[];
  const numbers = holders.map(({ blocking }) => Number(blocking));
  return numbers.every((number) => held.has(number)) ? numbers[0] : undefined;
}
