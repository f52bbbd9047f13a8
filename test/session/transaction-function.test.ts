import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConcurrentTransactionError,
  FailedTransactionError,
  integer,
  Multibind,
  OperationalError,
  PartialCommitError,
  SerializationError,
  SessionClosedError,
  SessionError,
  stateOf,
  UniqueViolationError,
  UnsupportedError,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, record, sessionOf, sharedDatabase, start, verbs } from "../fixtures/matrix.ts";

const db = new Multibind();
class Account extends db.model("account", {
  id: integer().primaryKey(),
  name: varchar(20).unique(),
  balance: integer(),
}) {}

async function twoAccounts(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const writer = sessionOf(app);
  writer.addAll([new Account({ name: "a", balance: 100 }), new Account({ name: "b", balance: 0 })]);
  await writer.commit();
  await writer.close();
  const balances = async () => (await sessionOf(app).select(Account).orderBy("id").all()).map(({ balance }) => balance);
  return { app, session: sessionOf(app), balances };
}

onEachFamily("a function that returns commits, and gives its result", async (t, url) => {
  const { app, session, balances } = await twoAccounts(t, url);
  const sent = record(app);

  const result = await session.transaction(async (tx) => {
    assert.equal(tx, session);
    const a = await tx.getOne(Account, 1);
    const b = await tx.getOne(Account, 2);
    a.balance -= 10;
    b.balance += 10;
    return "done";
  });

  assert.equal(result, "done");
  assert.deepEqual(await balances(), [90, 10]);
  assert.deepEqual(verbs(sent).slice(0, 3), ["begin", "select", "select"], "reads belong to it");
});

onEachFamily("a function that throws rolls back, and its error is thrown", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  const error = new Error("no");
  let a: Account | undefined;

  await assert.rejects(
    session.transaction(async (tx) => {
      a = await tx.getOne(Account, 1);
      a.balance = 0;
      await tx.flush();
      tx.add(new Account({ name: "c", balance: 1 }));
      throw error;
    }),
    (thrown) => thrown === error,
  );
  assert.equal(a?.balance, 100);
  assert.deepEqual(await balances(), [100, 0]);
  await assert.rejects(
    session.transaction(() => {
      throw error;
    }),
    (thrown) => thrown === error,
    "also one that throws at once",
  );
});

onEachFamily("within a function another one is nested, and can be undone alone", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  await session.transaction(async (tx) => {
    const a = await tx.getOne(Account, 1);
    a.balance = 1;
    await assert.rejects(
      tx.transaction(async () => {
        a.balance = 2;
        await tx.flush();
        throw new Error("inner");
      }),
      /inner/,
    );
    assert.equal(a.balance, 1);
    await tx.transaction(async () => {
      (await tx.getOne(Account, 2)).balance = 5;
      await tx.transaction(async () => {
        tx.add(new Account({ name: "c", balance: 7 }));
      });
    });
  });

  assert.deepEqual(await balances(), [1, 5, 7]);
});

onEachFamily("a failed flush in a nested function costs that one only", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  await session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 1;
    await assert.rejects(
      tx.transaction(async () => {
        tx.add(new Account({ name: "a", balance: 1 }));
      }),
      UniqueViolationError,
    );
    tx.add(new Account({ name: "c", balance: 3 }));
  });

  assert.deepEqual(await balances(), [1, 0, 3]);
});

onEachFamily("an error that the function swallows still rolls back", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  await assert.rejects(
    session.transaction(async (tx) => {
      (await tx.getOne(Account, 1)).balance = 1;
      await tx
        .insertInto(Account)
        .values({ name: "a", balance: 1 })
        .execute()
        .catch(() => {});
    }),
    FailedTransactionError,
  );
  assert.deepEqual(await balances(), [100, 0]);
  await session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 2;
  });
  assert.deepEqual(await balances(), [2, 0]);
});

onEachFamily("commit, rollback, begin and reset are the function's business, not its code's", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  await session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 1;
    await assert.rejects(tx.commit(), SessionError);
    await assert.rejects(tx.rollback(), SessionError);
    await assert.rejects(tx.reset(), SessionError);
    assert.throws(() => tx.begin(), SessionError);
    const nested = await tx.beginNested();
    (await tx.getOne(Account, 1)).balance = 2;
    await nested.rollback();
  });
  assert.deepEqual(await balances(), [1, 0]);
});

onEachFamily("from beside a running function nothing ends or begins a transaction", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  const { promise: inside, resolve: isInside } = Promise.withResolvers<void>();
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const running = session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 1;
    isInside();
    await end;
  });
  await inside;

  await assert.rejects(session.commit(), ConcurrentTransactionError);
  await assert.rejects(session.rollback(), ConcurrentTransactionError);
  await assert.rejects(session.reset(), ConcurrentTransactionError);
  await assert.rejects(session.beginNested(), ConcurrentTransactionError);
  assert.throws(() => session.begin(), ConcurrentTransactionError);
  await assert.rejects(
    session.transaction(async () => {}),
    ConcurrentTransactionError,
  );
  assert.equal((await session.getOne(Account, 2)).balance, 0, "reading is allowed");
  resolve();
  await running;
  assert.deepEqual(await balances(), [1, 0]);
});

onEachFamily("of two functions at once the second is refused", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  const set = (id: number, balance: number) =>
    session.transaction(async (tx) => {
      (await tx.getOne(Account, id)).balance = balance;
    });
  const outcomes = await Promise.allSettled([set(1, 1), set(2, 2)]);

  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected"],
  );
  assert.ok((outcomes[1] as PromiseRejectedResult).reason instanceof ConcurrentTransactionError);
  assert.deepEqual(await balances(), [1, 0]);
});

onEachFamily("of two nested functions at once the second is refused too", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  await session.transaction(async (tx) => {
    const set = (id: number, balance: number) =>
      tx.transaction(async () => {
        (await tx.getOne(Account, id)).balance = balance;
      });
    const outcomes = await Promise.allSettled([set(1, 1), set(2, 2)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected"],
    );
    assert.ok((outcomes[1] as PromiseRejectedResult).reason instanceof ConcurrentTransactionError);
    await set(2, 3);
  });
  assert.deepEqual(await balances(), [1, 3]);
});

onEachFamily("what a function leaves running is not within it any more", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  const { promise: isOver, resolve: end } = Promise.withResolvers<void>();
  let late: Promise<void> | undefined;
  await session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 1;
    late = isOver.then(() =>
      session.transaction(async () => {
        (await session.getOne(Account, 2)).balance = 2;
      }),
    );
  });
  end();
  await late;
  assert.deepEqual(await balances(), [1, 2]);
});

onEachFamily("a session that is closed under a running function makes it fail", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  const { promise: inside, resolve: isInside } = Promise.withResolvers<void>();
  const { promise: end, resolve } = Promise.withResolvers<void>();
  const running = session.transaction(async (tx) => {
    (await tx.getOne(Account, 1)).balance = 1;
    await tx.flush();
    isInside();
    await end;
  });
  await inside;
  await session.close();
  resolve();

  await assert.rejects(running, SessionClosedError);
  assert.deepEqual(await balances(), [100, 0]);
});

onEachFamily("a transaction that has begun otherwise is not a function's", async (t, url) => {
  const { session } = await twoAccounts(t, url);
  session.begin();
  await assert.rejects(
    session.transaction(async () => {}),
    SessionError,
  );
  await session.rollback();
  await session.insertInto(Account).values({ name: "c", balance: 1 }).execute();
  await assert.rejects(
    session.transaction(async () => {}),
    SessionError,
  );
  await session.rollback();
});

onEachFamily("transactions of two sessions may nest, each knows its own", async (t, url, family) => {
  const { app, session, balances } = await twoAccounts(t, url);
  const other = sessionOf(app);
  await session.transaction(async (tx) => {
    const a = await tx.getOne(Account, 1);
    // On SQLite the outer transaction has the file to itself.
    if (family === "sqlite") return;
    await other.transaction(async (inner) => {
      (await inner.getOne(Account, 2)).balance = 2;
      await inner.transaction(async () => {});
      await assert.rejects(tx.commit(), SessionError);
    });
    a.balance = 1;
  });
  assert.deepEqual(await balances(), family === "sqlite" ? [100, 0] : [1, 2]);
});

// Retries

onEachFamily("an error that may pass is tried again, as often as was said", async (t, url) => {
  const { session, balances } = await twoAccounts(t, url);
  let attempts = 0;
  const run = (failures: number, retries: number) => {
    attempts = 0;
    return session.transaction(
      async (tx) => {
        attempts++;
        const a = await tx.getOne(Account, 1);
        a.balance++;
        await tx.flush();
        if (attempts <= failures) throw new SerializationError("try again", { retryable: true });
      },
      { retries },
    );
  };
  await run(2, 3);
  assert.equal(attempts, 3);
  assert.deepEqual(await balances(), [101, 0], "each attempt begins anew");
  await assert.rejects(run(5, 1), SerializationError);
  assert.equal(attempts, 2);
  await assert.rejects(run(1, 0), SerializationError);
  assert.equal(attempts, 1);

  attempts = 0;
  await assert.rejects(
    session.transaction(
      async () => {
        attempts++;
        throw new Error("for good");
      },
      { retries: 5 },
    ),
  );
  assert.equal(attempts, 1, "other errors are not");
  const partial = { committed: [null], failed: [], rolledBack: [], unknown: [], inDoubt: [] };
  await assert.rejects(
    session.transaction(
      async () => {
        attempts++;
        throw new PartialCommitError(partial, new SerializationError("half done", { retryable: true }));
      },
      { retries: 5 },
    ),
  );
  assert.equal(attempts, 2, "nor what is half done");
});

onEachFamily(
  "two transactions that lock rows in opposite order both succeed with retries",
  async (t, url) => {
    const { app, balances } = await twoAccounts(t, url);
    let attempts = 0;
    const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const move = (index: number, first: number, second: number) =>
      sessionOf(app).transaction(
        async (tx) => {
          attempts++;
          const one = await tx.getOne(Account, first, { lock: true });
          locked[index]!.resolve();
          // Both have their first row before either asks for its second.
          await locked[1 - index]!.promise;
          const two = await tx.getOne(Account, second, { lock: true });
          one.balance += 1;
          two.balance += 10;
        },
        { retries: 5 },
      );
    await Promise.all([move(0, 1, 2), move(1, 2, 1)]);

    assert.deepEqual(await balances(), [111, 11]);
    assert.ok(attempts >= 3, `${attempts} attempts`);
  },
  ["postgres", "mysql"],
);

onEachFamily(
  "a deadlock within a nested function reaches the outermost, which begins anew",
  async (t, url) => {
    const { app, balances } = await twoAccounts(t, url);
    const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const move = (index: number, first: number, second: number) =>
      sessionOf(app).transaction(
        async (tx) => {
          const one = await tx.getOne(Account, first, { lock: true });
          one.balance += 1;
          await tx.flush();
          locked[index]!.resolve();
          await locked[1 - index]!.promise;
          await tx.transaction(async () => {
            const two = await tx.getOne(Account, second, { lock: true });
            two.balance += 10;
          });
        },
        { retries: 5 },
      );
    await Promise.all([move(0, 1, 2), move(1, 2, 1)]);

    assert.deepEqual(await balances(), [111, 11]);
  },
  ["postgres", "mysql"],
);

test("after a deadlock that the function swallows nothing is written outside of a transaction", async (t) => {
  // MariaDB has rolled back everything by then, savepoints included.
  const { app, balances } = await twoAccounts(t, await sharedDatabase("mysql"));
  const locked = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const move = (index: number, first: number, second: number) =>
    sessionOf(app).transaction(async (tx) => {
      (await tx.getOne(Account, first, { lock: true })).balance += 1;
      await tx.flush();
      locked[index]!.resolve();
      await locked[1 - index]!.promise;
      await tx
        .transaction(async () => {
          (await tx.getOne(Account, second, { lock: true })).balance += 10;
        })
        .catch((error: unknown) => assert.ok(error instanceof OperationalError));
      (await tx.getOne(Account, first)).balance += 1000;
    });
  const outcomes = await Promise.allSettled([move(0, 1, 2), move(1, 2, 1)]);

  const failed = outcomes.filter((outcome) => outcome.status === "rejected");
  assert.equal(failed.length, 1);
  assert.ok(failed[0]!.reason instanceof FailedTransactionError, String(failed[0]!.reason));
  const winner = outcomes.findIndex(({ status }) => status === "fulfilled");
  assert.deepEqual(await balances(), winner === 0 ? [1101, 10] : [110, 1001]);
});

onEachFamily(
  "serializable transactions that cannot both be are told apart, and retried",
  async (t, url) => {
    const { app, balances } = await twoAccounts(t, url);
    const read = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const move = (index: number) =>
      sessionOf(app).transaction(
        async (tx) => {
          const all = await tx.select(Account).all();
          read[index]!.resolve();
          await read[1 - index]!.promise;
          const sum = all.reduce((total, { balance }) => total + balance, 0);
          (await tx.getOne(Account, index + 1)).balance = sum;
        },
        { retries: 5, isolationLevel: "serializable" },
      );
    await Promise.all([move(0), move(1)]);

    const [a, b] = (await balances()) as [number, number];
    assert.ok(
      (a === 100 && b === 100) || (a === 100 && b === 200) || (a === 200 && b === 100) || a + b === 200,
      `${a} ${b}`,
    );
  },
  ["postgres", "mysql"],
);

onEachFamily("a lock makes the next one wait, so that no update is lost", async (t, url) => {
  const { app, balances } = await twoAccounts(t, url);
  await Promise.all(
    Array.from({ length: 8 }, () =>
      sessionOf(app).transaction(
        async (tx) => {
          const a = await tx.getOne(Account, 1, { lock: true });
          a.balance -= 1;
        },
        { retries: 3 },
      ),
    ),
  );
  assert.deepEqual(await balances(), [92, 0]);
});

onEachFamily("a lock reads the row again, also where the entity is there", async (t, url) => {
  const { app, session } = await twoAccounts(t, url);
  const a = await session.getOne(Account, 1);
  await app.engine.kysely.updateTable(Account.table).set({ balance: 55 }).where("id", "=", 1).execute();

  assert.equal(await session.get(Account, 1, { lock: true }), a);
  assert.equal(a.balance, 55);
  await session.rollback();
  const b = await session.getOne(Account, 2);
  await app.engine.kysely.updateTable(Account.table).set({ balance: 66 }).where("id", "=", 2).execute();
  await session.select(Account).forUpdate().all();
  assert.equal(b.balance, 66);
  assert.equal(stateOf(b), "persistent");
  await session.rollback();
});

test("SQLite has no locks of rows to pass over or refuse to wait for", async (t) => {
  const { session } = await twoAccounts(t, await sharedDatabase("sqlite"));

  await assert.rejects(session.select(Account).forUpdate().skipLocked().all(), UnsupportedError);
  await assert.rejects(session.select(Account).forUpdate().noWait().all(), UnsupportedError);
});

onEachFamily(
  "rows that others have locked are passed over, or refused at once",
  async (t, url) => {
    const { app, session } = await twoAccounts(t, url);
    await session.transaction(async (tx) => {
      await tx.get(Account, 1, { lock: true });
      const other = sessionOf(app);
      const free = await other.select(Account).forUpdate().skipLocked().all();
      assert.deepEqual(
        free.map(({ id }) => id),
        [2],
      );
      await other.rollback();
      await assert.rejects(other.select(Account).orderBy("id").forUpdate().noWait().all(), OperationalError);
      await other.rollback();
    });
  },
  ["postgres", "mysql"],
);
