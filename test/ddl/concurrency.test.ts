import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createAll } from "../../src/ddl/create-all.ts";
import { executionContext, Owner } from "../../src/engine/pool/owner.ts";
import { DdlError } from "../../src/errors/ddl.ts";
import { Multibind } from "../../src/multibind.ts";
import { integer } from "../../src/schema/types/integer.ts";
import { varchar } from "../../src/schema/types/string.ts";
import { familyNames, TestDatabase } from "./test-database.ts";

for (const family of familyNames) {
  test(`several processes may make the same tables at once (${family})`, async () => {
    const directory = await mkdtemp(join(tmpdir(), "multibind-"));
    try {
      const url = { url: `sqlite:///${join(directory, "app.db")}` };
      await using database = await TestDatabase.open(family, null, family === "sqlite" ? url : {});
      const db = new Multibind();
      for (let count = 0; count < 10; count++) {
        const before = count === 0 ? {} : { before: integer().references(`t${count - 1}.id`) };
        db.table(`t${count}`, { id: integer().primaryKey(), label: varchar(9).index(), ...before });
      }
      const engines = Array.from({ length: 4 }, () => database.again());
      await Promise.all(engines.map((engine) => createAll([{ engine, metadata: db.metadata }], db.metadatas)));
      assert.equal((await database.tables()).length, 10);
      await Promise.all(engines.map((engine) => engine.close()));
    } finally {
      await rm(directory, { recursive: true });
    }
  });
}

test("work that holds the writer itself is told so at once", async () => {
  await using database = await TestDatabase.open("sqlite");
  const db = new Multibind();
  db.table("one", { id: integer().primaryKey() });
  const session = new Owner("session 1");
  const connection = await database.engine.connect({ use: "write", owner: session });
  await executionContext.run({ owner: session }, () =>
    assert.rejects(createAll([database.target(db)], db.metadatas), (error) => {
      return error instanceof DdlError && (error.cause as { code?: string }).code === "SELF_DEADLOCK";
    }),
  );
  await connection.release();
});

for (const family of familyNames) {
  test(`connections are given back, also after a failure (${family})`, async () => {
    await using database = await TestDatabase.open(family);
    const db = new Multibind();
    db.table("one", { id: integer().primaryKey() });
    await createAll([database.target(db)], db.metadatas);
    db.table("two", { id: integer().primaryKey() });
    database.engine.onStatement(({ sql }) => {
      if (sql.startsWith("create")) throw new Error("injected");
    });
    await assert.rejects(createAll([database.target(db)], db.metadatas), DdlError);
    assert.equal(database.engine.status().inUse, 0);
  });
}
