import { cp, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { install, withEnds } from "./install.ts";
import { runTests } from "./run-tests.ts";

const root = join(import.meta.dirname, "../..");

/** The oldest and the newest version of each package that an application brings along. */
const VERSIONS: readonly { readonly name: string; readonly version: string; readonly folders: readonly string[] }[] = [
  { name: "kysely", version: "0.29.0", folders: ["query", "session", "ddl"] },
  { name: "kysely", version: "~0.29.9", folders: ["query", "session", "ddl"] },
  { name: "pg", version: "8.16.0", folders: ["engine", "query", "session"] },
  { name: "pg", version: "^8.16.0", folders: ["engine", "query", "session"] },
  { name: "mariadb", version: "3.4.0", folders: ["engine", "query", "session"] },
  { name: "mariadb", version: "^3.4.0", folders: ["engine", "query", "session"] },
  { name: "better-sqlite3", version: "13.0.0", folders: ["engine", "query", "session"] },
  { name: "better-sqlite3", version: "^13.0.0", folders: ["engine", "query", "session"] },
];

/** The core of the tests with another version of one package, in a copy of the project. */
export const peers = VERSIONS.map(({ name, version, folders: all }) => ({
  name: `${name}@${version}`,
  title: `The package ${name} in version ${version}`,
  run: (folders: readonly string[] = all) =>
    withEnds(async (ends) => {
      const folder = await install(ends, { [name]: version });
      for (const copied of ["package.json", "tsconfig.json", "src", "test"])
        await cp(join(root, copied), join(folder, copied), { recursive: true });
      await linkOthers(folder);
      return runTests(folders, {}, folder);
    }),
}));

/** What else the tests need comes from the project. */
async function linkOthers(folder: string): Promise<void> {
  const installed = new Set(await readdir(join(folder, "node_modules")));
  for (const name of await readdir(join(root, "node_modules"))) {
    if (!installed.has(name)) await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  await rm(join(folder, "node_modules/.package-lock.json"), { force: true });
}
