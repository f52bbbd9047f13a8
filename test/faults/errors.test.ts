import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Application, DatabaseError, type FamilyName, OperationalError, sql } from "../../src/index.ts";
import { freshDatabase } from "../fixtures/databases.ts";
import { untilTheFileEnds } from "../fixtures/until-the-file-ends.ts";
import { CAUSES, causesDb, type Scene } from "./causes.ts";
import { isMissing, ownServer } from "./own-servers.ts";

const COLUMNS: readonly FamilyName[] = ["sqlite", "postgres", "mysql"];

interface Row {
  readonly cause: string;
  /** The class on each database; none where it cannot come to that. */
  readonly classes: Readonly<Partial<Record<FamilyName, string>>>;
  readonly retryable: boolean;
}

/** The table of the documentation that says which class an error is of. */
async function documented(): Promise<Row[]> {
  const page = await readFile(join(import.meta.dirname, "../../docs/errors.md"), "utf8");
  const [, section = ""] = page.split("## The same class on every database");
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(1).map((line) => {
    const [cause = "", ...cells] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const classes = COLUMNS.flatMap((family, column) => {
      const name = /`(\w+)`/.exec(cells[column] ?? "")?.[1];
      return name === undefined ? [] : [[family, name]];
    });
    return { cause, classes: Object.fromEntries(classes), retryable: cells[COLUMNS.length] === "yes" };
  });
}

const table = await documented();

test("the documentation has every cause that is tested here, and no other", () => {
  assert.deepEqual(table.map(({ cause }) => cause).sort(), Object.keys(CAUSES).sort());
});

for (const family of COLUMNS) {
  describe(`errors of ${family}`, { skip: family !== "sqlite" && isMissing(family) }, async () => {
    const { url, run } = await place(family);

    for (const { cause, classes, retryable } of table) {
      const expected = classes[family];
      if (expected === undefined) continue;
      test(`${cause}: ${expected}`, async (t) => {
        const applications: Application[] = [];
        const open: Scene["open"] = ({ url: databaseUri = url, ...engineOptions } = {}) => {
          const app = causesDb.init({ databaseUri, engineOptions });
          applications.push(app);
          return app;
        };
        const app = open();
        t.after(async () => {
          for (const one of applications) await one.dispose();
        });
        await app.dropAll();
        await app.createAll();
        await app.transaction(async () => {
          for (const id of [1, 2]) await causesDb.session.execute(sql`insert into parent (id, n) values (${id}, 0)`);
        });
        const session = app.session();
        const error = await CAUSES[cause]!({ family, url, app, session, run, open }).then(
          () => assert.fail("nothing went wrong"),
          (reason: unknown) => reason,
        );
        await session.close();
        assert.ok(error instanceof DatabaseError, String(error));
        assert.equal(error.name, expected, `${error.message} (${JSON.stringify(error.cause)})`);
        assert.equal(error instanceof OperationalError && error.retryable, retryable);
        assert.equal(error.bindKey, null);
        for (const one of applications) assert.equal(one.engine.status().inUse, 0);
      });
    }
  });
}

/** Where things are to go wrong: a file, or a server on which a user named guest needs a password. */
async function place(family: FamilyName): Promise<Pick<Scene, "url" | "run">> {
  if (family === "sqlite") return { url: await freshDatabase(untilTheFileEnds, family), run: () => Promise.resolve() };
  if (family === "mysql") return ownServer(family);
  const folder = await mkdtemp(join(tmpdir(), "multibind-hba-"));
  after(() => rm(folder, { recursive: true, force: true }));
  await chmod(folder, 0o755);
  const rules = ["host all guest 127.0.0.1/32 scram-sha-256", "host all all 127.0.0.1/32 trust", ""].join("\n");
  await writeFile(join(folder, "pg_hba.conf"), rules);
  return ownServer(family, { hba_file: join(folder, "pg_hba.conf") });
}
