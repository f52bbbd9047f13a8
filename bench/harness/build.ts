import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..", "..");

/** multibind as it is developed. */
export const SOURCE = join(ROOT, "src", "index.ts");

/** Builds multibind as it is published, for what an application's start takes. Returns the module to import. */
export function buildMultibind(): string {
  const folder = join(ROOT, "bench", "generated", "multibind");
  const compiler = join(ROOT, "node_modules", "typescript", "bin", "tsc");
  const { status, stdout } = spawnSync(
    process.execPath,
    [compiler, "-p", join(ROOT, "tsconfig.build.json"), "--outDir", folder],
    { encoding: "utf8" },
  );
  const entry = join(folder, "index.js");
  if (!existsSync(entry)) throw new Error(`multibind does not build: ${stdout}`);
  if (status !== 0) console.error(`multibind builds with errors:\n${stdout}`);
  return entry;
}
