import assert from "node:assert/strict";
import { copyFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type BuildOptions, build } from "esbuild";
import { FAMILIES, freshDatabase } from "../fixtures/databases.ts";
import { application, runNode, temporaryFolder } from "./application.ts";

/** The package of each family's driver. */
const DRIVERS = { sqlite: "better-sqlite3", postgres: "pg", mysql: "mariadb" } as const;

/** The entry of `better-sqlite3` that names its native addon, so that a bundler finds it. */
const ADDON = `better-sqlite3/${process.platform}-${process.arch}`;

/** A program that uses the database of its argument. */
function program(driver?: string): string {
  return `import { integer, Multibind, text, varchar } from "multibind";
    ${driver === undefined ? "" : `import driver from "${driver}";`}
    const db = new Multibind();
    class User extends db.model("user", { id: integer().primaryKey(), name: varchar(20).unique(), bio: text().nullable() }) {
      greet() { return "hello " + this.name; }
    }
    const app = db.init({ databaseUri: process.argv[2]!, engineOptions: { ${driver === undefined ? "" : "driver"} } });
    app.run(async () => {
      await db.createAll();
      db.session.add(new User({ name: "ada" }));
      await db.session.commit();
      console.log((await db.select(User).one()).greet());
      db.session.add(new User({ name: "ada" }));
      await db.session.commit().catch(({ code }) => console.log(code));
    }).catch((error) => console.log(error.code, error.cause?.code ?? "", error.message)).finally(() => app.dispose());`;
}

/** Bundles a program in an application that has some drivers. Returns a folder with nothing but the bundle. */
async function bundle(source: string, drivers: readonly string[], options: BuildOptions = {}): Promise<string> {
  const folder = await application(...drivers);
  await writeFile(join(folder, "main.ts"), source);
  const outdir = await temporaryFolder("bundle");
  const { warnings } = await build({
    absWorkingDir: folder,
    entryPoints: ["main.ts"],
    bundle: true,
    platform: "node",
    outdir,
    logLevel: "silent",
    ...options,
  });
  assert.deepEqual(warnings, []);
  return outdir;
}

const WORKED = "hello ada\nUNIQUE_VIOLATION";

for (const family of FAMILIES) {
  test(`a bundle of an application with one driver runs alone (${family})`, async (t) => {
    const [driver, native] = family === "sqlite" ? [ADDON, { loader: { ".node": "copy" } } as const] : [];
    const folder = await bundle(program(driver), [DRIVERS[family]], native);
    await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }');
    assert.equal(await runNode(join(folder, "main.js"), await freshDatabase(t, family)), WORKED);
  });
}

test("a bundle without a driver says which one is missing", async () => {
  const folder = await bundle(program(), []);
  await writeFile(join(folder, "package.json"), '{ "type": "commonjs" }');
  for (const [name, url] of [
    ["pg", "postgresql://127.0.0.1:1/none"],
    ["mariadb", "mysql://127.0.0.1:1/none"],
    ["better-sqlite3", "sqlite://"],
  ] as const) {
    assert.match(await runNode(join(folder, "main.js"), url), new RegExp(`MISSING_DRIVER.*npm install ${name}`));
  }
});

test("a bundle as a minified ES module runs alone, with a require for the driver's own modules", async (t) => {
  const folder = await bundle(program(), ["pg"], {
    format: "esm",
    minify: true,
    outExtension: { ".js": ".mjs" },
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
  assert.equal(await runNode(join(folder, "main.mjs"), await freshDatabase(t, "postgres")), WORKED);
});

test("a bundle finds a driver that is left out of it and installed beside it", async (t) => {
  const folder = await bundle(program(), ["better-sqlite3"], { external: ["better-sqlite3"] });
  const deployed = await application("better-sqlite3");
  for (const name of await readdir(folder)) await copyFile(join(folder, name), join(deployed, "main.cjs"));
  assert.equal(await runNode(join(deployed, "main.cjs"), await freshDatabase(t, "sqlite")), WORKED);
});
