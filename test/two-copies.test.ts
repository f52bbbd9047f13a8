import assert from "node:assert/strict";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";
import type * as multibind from "../src/index.ts";
import { integer, Multibind, select, varchar } from "../src/index.ts";

let folder: string;
let copy: typeof multibind;

before(async () => {
  // Beside the sources, so that the copy finds the same packages.
  folder = await mkdtemp(resolve("instance-copy-"));
  await cp(resolve("src"), join(folder, "src"), { recursive: true });
  copy = await import(pathToFileURL(join(folder, "src/index.ts")).href);
});

after(() => rm(folder, { recursive: true, force: true }));

const isDuplicate = { name: "DuplicatePackageError", code: "DUPLICATE_PACKAGE", message: /npm ls multibind/ };

test("what another copy of the package has made is refused, with the cause", async () => {
  const db = new Multibind();
  class User extends db.model("user", { id: integer().primaryKey(), name: varchar(9) }) {}
  // The copy's types are the same as this one's, and their private members differ.
  const second = new copy.Multibind() as unknown as Multibind;
  const app = second.init({ databaseUri: "sqlite://" });
  const attempts: Record<string, () => unknown> = {
    select: () => second.select(User).all(),
    "a select of the other copy": () => second.session.select(select(User)).all(),
    selectFrom: () => second.selectFrom(User).selectAll().execute(),
    "selectFrom a table": () => second.selectFrom(User.table).selectAll().execute(),
    insertInto: () => second.insertInto(User).values({ name: "x" }).execute(),
    get: () => second.session.get(User, 1),
    add: () => second.session.add(new User({ name: "x" })),
    model: () => second.model("other", { id: integer().primaryKey() }),
    table: () => second.table("other", { id: integer().primaryKey() }),
  };
  await app.run(async () => {
    for (const [name, attempt] of Object.entries(attempts))
      await assert.rejects(async () => attempt(), isDuplicate, name);
  });
  await app.dispose();
});
