import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { QueryResult } from "kysely";
import type { PhysicalConnection } from "../../src/engine/driver.ts";
import { ConnectionPool, type PoolOptions } from "../../src/engine/pool/connection-pool.ts";
import { Owner } from "../../src/engine/pool/owner.ts";
import { DatabaseTimeoutError, SelfDeadlockError } from "../../src/index.ts";

class FakeConnection implements PhysicalConnection {
  isBroken = false;
  inTransaction = false;
  isClosed = false;
  isBusy = false;
  answers = true;
  readonly statements: string[] = [];

  async executeQuery<R>({ sql }: { readonly sql: string }): Promise<QueryResult<R>> {
    if (!this.answers) throw new Error("gone");
    this.statements.push(sql);
    this.inTransaction = false;
    return { rows: [] };
  }

  async executeMany<R>(): Promise<QueryResult<R>[]> {
    return [];
  }

  async *streamQuery(): AsyncIterableIterator<never> {}

  async ping(): Promise<void> {
    this.statements.push("ping");
    if (!this.answers) throw new Error("gone");
  }

  async cancel(): Promise<void> {}

  async close(): Promise<void> {
    this.isClosed = true;
  }

  destroy(): void {
    this.isClosed = true;
  }
}

function pool(options: Partial<PoolOptions<FakeConnection>> = {}) {
  const made: FakeConnection[] = [];
  const connections = new ConnectionPool<FakeConnection>({
    bindKey: "auth",
    size: 2,
    timeout: 5000,
    recycle: undefined,
    prePing: false,
    silence: undefined,
    connect: async () => {
      const connection = new FakeConnection();
      made.push(connection);
      return connection;
    },
    ...options,
  });
  return { connections, made };
}

test("a connection is opened when it is first needed, and kept for the next", async () => {
  const { connections, made } = pool();
  assert.equal(made.length, 0);
  const first = await connections.acquire();
  await connections.release(first);
  assert.equal(await connections.acquire(), first);
  assert.equal(made.length, 1);
});

test("the connection used last is the next to be used", async () => {
  const { connections } = pool();
  const [one, two] = [await connections.acquire(), await connections.acquire()];
  await connections.release(one);
  await connections.release(two);
  assert.equal(await connections.acquire(), two);
});

test("there are never more connections than the size, and later callers wait", async () => {
  const { connections, made } = pool();
  const [one] = [await connections.acquire(), await connections.acquire()];
  const third = connections.acquire();
  assert.deepEqual(connections.status(), { size: 2, inUse: 2, idle: 0, waiting: 1 });
  await connections.release(one);
  assert.equal(await third, one);
  assert.equal(made.length, 2);
});

test("waiting ends with a DatabaseTimeoutError that counts", async () => {
  const { connections } = pool({ size: 1, timeout: 5 });
  await connections.acquire();
  await assert.rejects(connections.acquire(), (error: unknown) => {
    assert.ok(error instanceof DatabaseTimeoutError);
    assert.match(error.message, /bind "auth".*1 of 1 in use/);
    return true;
  });
});

test("a connection that cannot be opened leaves its place to the next", async () => {
  let isUp = false;
  const { connections } = pool({
    size: 1,
    connect: async () => {
      if (!isUp) throw new Error("down");
      return new FakeConnection();
    },
  });
  await assert.rejects(connections.acquire(), /down/);
  isUp = true;
  await connections.acquire();
});

test("a broken connection is closed when it is given back, and not lent again", async () => {
  const { connections, made } = pool();
  const first = await connections.acquire();
  first.isBroken = true;
  await connections.release(first);
  assert.equal(first.isClosed, true);
  assert.notEqual(await connections.acquire(), first);
  assert.equal(made.length, 2);
});

test("a connection that broke while it was free is not lent again", async () => {
  const { connections } = pool();
  const first = await connections.acquire();
  await connections.release(first);
  first.isBroken = true;
  assert.notEqual(await connections.acquire(), first);
  assert.equal(first.isClosed, true);
});

test("a connection whose state is unclear is closed", async () => {
  const { connections } = pool();
  const first = await connections.acquire();
  await connections.release(first, { discard: true });
  assert.equal(first.isClosed, true);
});

test("a connection in a transaction is rolled back before another gets it", async () => {
  const { connections } = pool({ size: 1 });
  const first = await connections.acquire();
  first.inTransaction = true;
  const next = connections.acquire();
  await connections.release(first);
  assert.equal(await next, first);
  assert.deepEqual(first.statements, ["rollback"]);
});

test("a connection in a transaction that cannot be rolled back is closed", async () => {
  const { connections } = pool();
  const first = await connections.acquire();
  first.inTransaction = true;
  first.answers = false;
  await connections.release(first);
  assert.equal(first.isClosed, true);
});

test("an old connection is replaced before its next use, a young one is not", async (t) => {
  t.mock.timers.enable({ apis: ["Date"] });
  const { connections } = pool({ recycle: 60_000 });
  const first = await connections.acquire();
  await connections.release(first);
  t.mock.timers.tick(60_000);
  assert.equal(await connections.acquire(), first);
  t.mock.timers.tick(1);
  await connections.release(first);
  assert.notEqual(await connections.acquire(), first);
  assert.equal(first.isClosed, true);
});

test("with poolPrePing a connection that does not answer is replaced before its use", async () => {
  const { connections } = pool({ prePing: true });
  const [one, two] = [await connections.acquire(), await connections.acquire()];
  await connections.release(one);
  await connections.release(two);
  two.answers = false;
  assert.equal(await connections.acquire(), one);
  assert.equal(two.isClosed, true);
  assert.deepEqual(one.statements, ["ping"]);
});

test("without poolPrePing connections are not checked", async () => {
  const { connections } = pool();
  const first = await connections.acquire();
  await connections.release(first);
  await connections.acquire();
  assert.deepEqual(first.statements, []);
});

test("closing the pool closes the free connections, and the others when they are given back", async () => {
  const { connections } = pool();
  const [one, two] = [await connections.acquire(), await connections.acquire()];
  await connections.release(one);
  await connections.close();
  assert.deepEqual([one.isClosed, two.isClosed], [true, false]);
  await connections.release(two);
  assert.equal(two.isClosed, true);
});

test("giving back what was not lent changes nothing", async () => {
  const { connections } = pool();
  const first = await connections.acquire();
  await connections.release(first);
  await connections.release(first);
  assert.deepEqual(connections.status(), { size: 2, inUse: 0, idle: 1, waiting: 0 });
});

test("a pool that is wholly in the hands of one's own execution context is not waited for", async () => {
  const { connections } = pool({ size: 1 });
  const outer = new Owner("session 1");
  await connections.acquire({ owner: outer });
  await assert.rejects(connections.acquire({ owner: new Owner("session 2", outer) }), SelfDeadlockError);
});

test("a signal ends the wait", async () => {
  const { connections } = pool({ size: 1 });
  await connections.acquire();
  const controller = new AbortController();
  const waiting = connections.acquire({ signal: controller.signal });
  controller.abort(new Error("enough"));
  await assert.rejects(waiting, /enough/);
  assert.equal(connections.status().waiting, 0);
});

test("many users of few connections all get their turn, and none is lent twice at once", async () => {
  const { connections, made } = pool({ size: 3 });
  const inUse = new Set<FakeConnection>();
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const connection = await connections.acquire();
      assert.equal(inUse.has(connection), false);
      inUse.add(connection);
      await delay(index % 3 === 0 ? 1 : 0);
      if (index % 17 === 0) connection.isBroken = true;
      inUse.delete(connection);
      await connections.release(connection, { discard: index % 23 === 0 });
    }),
  );
  assert.deepEqual(connections.status().inUse, 0);
  assert.ok(made.length >= 3);
  assert.ok(made.filter(({ isClosed }) => !isClosed).length <= 3);
});
