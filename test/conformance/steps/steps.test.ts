import assert from "node:assert/strict";
import { after, test } from "node:test";
import pg from "pg";
import type { JsonObject } from "../read/json.ts";
import { NoPostgresError, PostgresDatabases } from "../run/postgres.ts";
import { preparingPostgres, stopPreparingPostgres } from "../run/preparing-postgres.ts";
import { runSteps } from "./run-steps.ts";

after(stopPreparingPostgres);

const post = {
  model: "Post",
  bind: "a",
  columns: [
    { name: "id", pk: true },
    { name: "name", type: "str" },
  ],
};
const row = (id: number) => ({ bind: "a", sql: `insert into post (id, name) values (${id}, 'p${id}')` });

/** The values of steps over a table of posts in the bind "a". */
async function valuesOf(steps: readonly JsonObject[], more: JsonObject = {}) {
  const config = { binds: { a: "sqlite:///a.db" } };
  return (await runSteps({ config, schema: [post], rows: [1, 2, 3].map(row), ...more, steps })).steps;
}

const committed = { op: "committed", bind: "a", table: "post" };

test("page_iter yields the items of a page", async () => {
  const values = await valuesOf([
    { op: "paginate", model: "Post", per_page: 2, as: "p" },
    { op: "page_iter", of: "p" },
  ]);
  assert.deepEqual(values[1], [1, 2]);
});

for (const models_first of [false, true]) {
  test(`model_facts gives table, bind and columns of a class, models first: ${models_first}`, async () => {
    const values = await valuesOf([{ op: "model_facts", model: "Post" }], { models_first });
    assert.deepEqual(values, [{ table: "post", metadata: "a", table_metadata: "a", columns: ["id", "name"] }]);
  });
}

test("bulk steps write rows by mappings and by objects", async () => {
  const values = await valuesOf([
    { op: "bulk_insert_mappings", model: "Post", mappings: [{ id: 4, name: "x" }] },
    {
      op: "bulk_update_mappings",
      model: "Post",
      mappings: [
        { id: 1, name: "y" },
        { id: 2, name: "z" },
      ],
    },
    { op: "new", model: "Post", as: "n", values: { id: 5, name: "n" } },
    { op: "bulk_save_objects", objs: ["n"] },
    { op: "commit" },
    committed,
  ]);
  assert.deepEqual(values.at(-1), [
    [1, "y"],
    [2, "z"],
    [3, "p3"],
    [4, "x"],
    [5, "n"],
  ]);
});

test("kill_connections ends what holds a transaction, and a new one can begin", async (t) => {
  const steps = [
    { op: "execute", stmt: { update: "#Post", values: { name: "lost" } } },
    { op: "kill_connections", bind: "a" },
    { op: "commit" },
    { op: "rollback" },
    { op: "execute", stmt: { update: "#Post", values: { name: "kept" } } },
    { op: "commit" },
    committed,
  ];
  try {
    const values = await valuesOf(steps, { config: { binds: { a: "pg:a" } }, rows: [row(1)] });
    assert.equal(typeof (values[2] as JsonObject)["error"], "object");
    assert.deepEqual(values.slice(3), [null, { rowcount: 1 }, null, [[1, "kept"]]]);
  } catch (error) {
    if (error instanceof NoPostgresError) t.skip("no PostgreSQL server");
    else throw error;
  }
});

test("rollback_prepared_outside takes a prepared transaction away", async () => {
  await using databases = new PostgresDatabases(preparingPostgres);
  const url = await databases.create();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("begin; prepare transaction 'left behind'");
  await client.end();
  assert.equal(await databases.preparedTransactions(), 1);
  await databases.rollbackPrepared(new URL(url).pathname.slice(1));
  assert.equal(await databases.preparedTransactions(), 0);
});
