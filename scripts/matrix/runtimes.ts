import { execFile } from "node:child_process";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { freshDatabase } from "../../test/fixtures/databases.ts";
import { type Ends, install, withEnds } from "./install.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");

/** A runtime as a package of npm, and how it runs a program. */
interface Runtime {
  readonly name: string;
  readonly packageName: string;
  readonly version: string;
  readonly command: readonly string[];
  /** Whether `better-sqlite3` crashes on it, which has to be refused. */
  readonly lacksSqlite?: boolean;
}

const RUNTIMES: readonly Runtime[] = [
  { name: "Node.js 22.12", packageName: "node", version: "22.12.0", command: ["node"], lacksSqlite: true },
  { name: "Node.js 22.14", packageName: "node", version: "22.14.0", command: ["node"] },
  { name: "Node.js 24", packageName: "node", version: "24", command: ["node"] },
  { name: "Node.js, newest", packageName: "node", version: "latest", command: ["node"] },
  { name: "Bun", packageName: "bun", version: "1.4.5", command: ["bun"] },
  { name: "Deno", packageName: "deno", version: "2.9.6", command: ["deno", "run", "-A", "--node-modules-dir=manual"] },
];

/** The tour: one program over PostgreSQL, MariaDB and SQLite at once, on each runtime, with the package as it is packed. */
export const runtimes = {
  name: "runtimes",
  title: "The tour of three databases on every runtime",
  run: () =>
    withEnds(async (ends) => {
      const application = await applicationWithDrivers(ends);
      let passed = true;
      for (const runtime of RUNTIMES) {
        const outcome = await tour(runtime, application).catch((error: Error) => error.message);
        console.log(`${runtime.name}: ${outcome}`);
        if (!/^right/.test(outcome)) passed = false;
      }
      return passed;
    }),
};

/** An application with the package as npm packs it, the drivers, and the tour. */
async function applicationWithDrivers(ends: Ends): Promise<string> {
  const { stdout } = await run("npm", ["pack", "--silent"], { cwd: root });
  const tarball = join(root, stdout.trim().split("\n").at(-1)!);
  ends.after(() => run("rm", ["-f", tarball]));
  const folder = await install(ends, {
    multibind: `file:${tarball}`,
    kysely: "~0.29.9",
    pg: "^8.16.0",
    mariadb: "^3.4.0",
    "better-sqlite3": "^13.0.0",
  });
  await copyFile(join(import.meta.dirname, "tour.mjs"), join(folder, "tour.mjs"));
  return folder;
}

function tour({ packageName, version, command, lacksSqlite }: Runtime, application: string): Promise<string> {
  return withEnds(async (ends) => {
    const folder = await install(ends, { [packageName]: version });
    const [program, ...options] = command;
    const urls = [await freshDatabase(ends, "postgres"), await freshDatabase(ends, "mysql")];
    // Where SQLite has to be refused, the third database is one on PostgreSQL.
    const third = lacksSqlite ? [await freshDatabase(ends, "postgres"), "sqlite://"] : ["sqlite://"];
    const { stdout } = await run(
      join(folder, "node_modules/.bin", program!),
      [...options, "tour.mjs", ...urls, ...third],
      { cwd: application, timeout: 120_000 },
    );
    return stdout.trim();
  });
}
