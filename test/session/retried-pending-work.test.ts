import assert from "node:assert/strict";
import {
  integer,
  json,
  keyOf,
  Multibind,
  SerializationError,
  SessionError,
  stateOf,
  uuid,
  varchar,
} from "../../src/index.ts";
import { onEachFamily, sessionOf, start } from "../fixtures/matrix.ts";

const db = new Multibind();
class Box extends db.model("box", {
  id: integer().primaryKey(),
  name: varchar(20),
  code: uuid().default(() => crypto.randomUUID()),
  details: json<{ counts: number[] }>().nullable(),
}) {}
class Part extends db.model("part", { id: integer().primaryKey(), boxId: integer().references("box.id") }) {}

const mayPass = () => new SerializationError("try again", { retryable: true });

async function boxes(t: Parameters<typeof start>[0], url: string) {
  const app = await start(t, db, { databaseUri: url });
  const session = sessionOf(app);
  const [changed, doomed] = [new Box({ name: "changed", details: { counts: [0] } }), new Box({ name: "doomed" })];
  session.addAll([changed, doomed]);
  await session.commit();
  const stored = async () => {
    const all = await sessionOf(app).select(Box).orderBy("name").all();
    return all.map(({ name, details }) => [name, details?.counts ?? null]);
  };
  return { app, session, changed, doomed, stored };
}

for (const failing of ["in the function", "in the commit"] as const) {
  onEachFamily(
    `what was pending before a transaction is pending in each of its runs, failing ${failing}`,
    async (t, url) => {
      const { session, changed, doomed, stored } = await boxes(t, url);
      changed.details!.counts.push(1);
      session.delete(doomed);
      const added = new Box({ name: "added", details: { counts: [9] } });
      session.add(added);
      const { code } = added;
      const part = new Part({ boxId: keyOf(added) });
      session.add(part);
      let runs = 0;
      const fails = () => {
        if (runs < 3) throw mayPass();
      };
      session.on("beforeCommit", () => {
        if (failing === "in the commit") fails();
      });

      await session.transaction(
        async (tx) => {
          runs++;
          assert.deepEqual(changed.details, { counts: [0, 1] });
          assert.equal(added.name, "added");
          assert.equal(added.code, code, "what add has filled in stays");
          assert.equal(added.id, undefined);
          // What the function itself does begins anew each time.
          added.details!.counts.push(runs);
          changed.details!.counts.push(runs);
          added.name = `added ${runs}`;
          if (runs !== 2) await tx.flush();
          if (failing === "in the function") fails();
        },
        { retries: 3 },
      );

      assert.equal(runs, 3);
      assert.deepEqual(await stored(), [
        ["added 3", [9, 3]],
        ["changed", [0, 1, 3]],
      ]);
      assert.deepEqual([added, part, doomed].map(stateOf), ["persistent", "persistent", "detached"]);
      assert.equal(part.boxId, added.id);
    },
  );
}

onEachFamily("what a function undoes of the pending work is undone in the run that commits", async (t, url) => {
  const { session, changed, doomed, stored } = await boxes(t, url);
  const added = new Box({ name: "added" });
  session.add(added);
  session.delete(doomed);
  changed.name = "renamed";
  let runs = 0;
  await session.transaction(
    async (tx) => {
      runs++;
      if (runs === 1) {
        tx.expunge(added);
        tx.add(doomed);
        tx.expunge(changed);
        throw mayPass();
      }
      assert.deepEqual([added, doomed, changed].map(stateOf), ["pending", "persistent", "persistent"]);
      assert.ok(tx.deleted.has(doomed));
    },
    { retries: 1 },
  );
  assert.deepEqual(
    (await stored()).map(([name]) => name),
    ["added", "renamed"],
  );
});

onEachFamily("after the last run the pending work is rolled back like all work", async (t, url) => {
  const { session, changed, stored } = await boxes(t, url);
  const added = new Box({ name: "added" });
  session.add(added);
  changed.name = "renamed";
  await assert.rejects(
    session.transaction(
      async () => {
        throw mayPass();
      },
      { retries: 2 },
    ),
    SerializationError,
  );
  assert.equal(stateOf(added), "transient");
  assert.equal(added.code, undefined, "what add has filled in is taken back");
  assert.equal(changed.name, "changed");
  assert.deepEqual(
    (await stored()).map(([name]) => name),
    ["changed", "doomed"],
  );
});

onEachFamily("pending work that another session has taken over meanwhile is an error, not lost", async (t, url) => {
  const { app, session, stored } = await boxes(t, url);
  const other = sessionOf(app);
  const added = new Box({ name: "added" });
  session.add(added);
  await assert.rejects(
    session.transaction(
      async (tx) => {
        tx.expunge(added);
        other.add(added);
        throw mayPass();
      },
      { retries: 1 },
    ),
    SessionError,
  );
  await other.commit();
  assert.equal((await stored()).length, 3);
});

onEachFamily("a column that was touched is stored by the run that commits", async (t, url) => {
  const { app, session, changed } = await boxes(t, url);
  const other = sessionOf(app);
  (await other.getOne(Box, changed.id)).name = "by another";
  await other.commit();
  session.touch(changed, "name");
  let runs = 0;
  await session.transaction(
    async () => {
      runs++;
      if (runs === 1) throw mayPass();
    },
    { retries: 1 },
  );
  assert.equal((await sessionOf(app).getOne(Box, changed.id)).name, "changed");
});

onEachFamily("an entity that a run expunges and changes has its values again in the next run", async (t, url) => {
  const { session, changed, doomed, stored } = await boxes(t, url);
  session.delete(doomed);
  changed.name = "renamed";
  const seen: unknown[] = [];
  await session.transaction(
    async (tx) => {
      const { details } = structuredClone(changed);
      seen.push([doomed.name, doomed.details, changed.name, details, stateOf(doomed), stateOf(changed)]);
      if (seen.length > 1) return;
      tx.expungeAll();
      doomed.name = "spoiled";
      doomed.details = { counts: [7] };
      changed.details!.counts.push(8);
      throw mayPass();
    },
    { retries: 1 },
  );
  assert.deepEqual(seen, Array(2).fill(["doomed", null, "renamed", { counts: [0] }, "persistent", "persistent"]));
  assert.deepEqual(await stored(), [["renamed", [0]]]);
});
