import { execFile } from "node:child_process";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** Stands for the end of what is under way: what came last is removed first. */
export interface Ends {
  after(end: () => unknown): void;
}

/** Runs something and then, also if it fails, all that it has left to be done. */
export async function withEnds<T>(run: (ends: Ends) => Promise<T>): Promise<T> {
  const ends: (() => unknown)[] = [];
  try {
    return await run({ after: (end) => void ends.push(end) });
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

/**
 * Installs packages in a temporary folder, which is removed at the end.
 *
 * @param packages names with versions, for example `{ pg: "8.16.0" }`
 * @returns the folder
 */
export async function install(ends: Ends, packages: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "multibind-matrix-"));
  ends.after(() => rm(folder, { recursive: true, force: true }));
  // Servers run as users of their own.
  await chmod(folder, 0o755);
  await writeFile(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies: packages }));
  await promisify(execFile)("npm", ["install", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: folder });
  return folder;
}
