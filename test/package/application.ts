import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { untilTheFileEnds } from "../fixtures/until-the-file-ends.ts";

export const root = join(import.meta.dirname, "../..");

const run = promisify(execFile);

/** What the build needs, and what goes into the package beside it. */
const SOURCES = ["package.json", "tsconfig.json", "tsconfig.build.json", "scripts", "src", "README.md", "LICENSE"];

/** A folder outside of this one, which is there until the tests of the file are over. */
export async function temporaryFolder(name: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), `multibind-${name}-`));
  untilTheFileEnds.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** The files of the package that `npm pack` makes of sources that are not built. Returns their folder. */
async function packed(): Promise<string> {
  const folder = await temporaryFolder("sources");
  for (const name of [...SOURCES, "CHANGELOG.md"]) await cp(join(root, name), join(folder, name), { recursive: true });
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const { stdout } = await run("npm", ["pack", "--silent"], { cwd: folder });
  await run("tar", ["-xzf", stdout.trim().split("\n").at(-1)!], { cwd: folder });
  return join(folder, "package");
}

let files: Promise<string> | undefined;

/** The folder of the package as it is published. */
export function packageFolder(): Promise<string> {
  files ??= packed();
  return files;
}

const applications = new Map<string, Promise<string>>();

/** An application with the package among its dependencies, and with others that this project has, too. */
export function application(...dependencies: readonly string[]): Promise<string> {
  const key = dependencies.join();
  let folder = applications.get(key);
  if (folder === undefined) {
    folder = install(dependencies);
    applications.set(key, folder);
  }
  return folder;
}

async function install(dependencies: readonly string[]): Promise<string> {
  const folder = await temporaryFolder("application");
  await writeFile(join(folder, "package.json"), '{ "type": "module" }');
  // A link would lead the package to all that this project has.
  await cp(await packageFolder(), join(folder, "node_modules/multibind"), { recursive: true });
  for (const name of ["kysely", ...dependencies]) {
    await mkdir(dirname(join(folder, "node_modules", name)), { recursive: true });
    await symlink(join(root, "node_modules", name), join(folder, "node_modules", name));
  }
  return folder;
}

/** Runs a program with Node.js and returns what it prints. */
export async function runNode(...command: readonly string[]): Promise<string> {
  const { stdout } = await run(process.execPath, command).catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  return stdout.trim();
}
