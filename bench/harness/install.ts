import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";

const BENCH = join(import.meta.dirname, "..");
const MODULES = join(BENCH, "node_modules");
const GENERATED = join(BENCH, "generated");
const SCHEMA = join(BENCH, "contenders", "prisma", "schema.prisma");
/** The type that `DateTime` is to have, by Prisma's name of the database. */
const PRISMA_INSTANTS = { sqlite: "", postgresql: " @db.Timestamptz(3)", mysql: " @db.DateTime(3)" };

/** Installs the peers from the lock file if they are not there, or not those of the lock file, and prepares them. */
export function ensureInstalled(): void {
  const installed = join(MODULES, ".package-lock.json");
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(BENCH, "package-lock.json")).mtimeMs) {
    console.log("Installing the peers (once) …");
    // No package may download anything from elsewhere: `.npmrc` says that their scripts are not run.
    if (!run("npm", ["ci", "--no-audit", "--no-fund"]))
      throw new Error("The peers could not be installed: see above, or run `npm ci --prefix bench`.");
  }
  buildSqlite3();
  for (const [provider, instant] of Object.entries(PRISMA_INSTANTS)) generatePrisma(provider, instant);
}

/** Sequelize's driver for SQLite comes as source text. Without it, Sequelize is left out there. */
function buildSqlite3(): void {
  try {
    createRequire(import.meta.url)("sqlite3");
  } catch {
    const note = join(GENERATED, "sqlite3-does-not-build");
    if (existsSync(note)) return;
    console.log("Building sqlite3 (once, a minute or two) …");
    if (run("npm", ["rebuild", "sqlite3", "--ignore-scripts=false"])) return;
    mkdirSync(GENERATED, { recursive: true });
    writeFileSync(note, "Delete this file to have it tried again.\n");
  }
}

/** Prisma's client is made of its schema, for each kind of database its own. Without it, Prisma is left out. */
function generatePrisma(provider: string, instant: string): void {
  const folder = join(GENERATED, "prisma", provider);
  const schema = join(folder, "schema.prisma");
  const text = readFileSync(SCHEMA, "utf8").replace('"PROVIDER"', `"${provider}"`).replaceAll(" @INSTANT", instant);
  if (existsSync(join(folder, "client")) && readFileSync(schema, "utf8") === text) return;
  console.log(`Generating Prisma's client for ${provider} …`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(schema, text);
  // `generate` has no use for the engine of migrations, yet would download it: any program in its place will do.
  run("prisma", ["generate", "--schema", schema], {
    PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
    PRISMA_HIDE_UPDATE_MESSAGE: "1",
    CHECKPOINT_DISABLE: "1",
  });
}

function run(command: string, parameters: readonly string[], environment: Record<string, string> = {}): boolean {
  const path = [join(MODULES, ".bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter);
  const { status } = spawnSync(command, parameters, {
    cwd: BENCH,
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, PATH: path, ...environment },
    shell: process.platform === "win32",
  });
  return status === 0;
}
