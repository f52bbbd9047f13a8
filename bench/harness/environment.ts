import { readFileSync } from "node:fs";
import { cpus, release, type } from "node:os";
import { join } from "node:path";
import type { Contender } from "../contenders/contender.ts";
import type { Environment } from "./results.ts";

const BENCH = join(import.meta.dirname, "..");

/** What everything ran on. */
export function environment(contenders: readonly Contender[]): Environment {
  const names = new Set(contenders.flatMap(({ packages, drivers }) => [...packages, ...Object.values(drivers)]));
  return {
    node: process.versions.node,
    processor: cpus()[0]?.model.trim() ?? "unknown processor",
    cores: cpus().length,
    system: `${type()} ${release().replace(/[-+].*/, "")}`,
    packages: Object.fromEntries([...names].sort().map((name) => [name, versionOf(name)])),
  };
}

/** The drivers of the benchmark have to be those of multibind itself, or the comparison means little. */
export function requireSameDrivers(): void {
  for (const name of ["kysely", "better-sqlite3", "pg", "mariadb"]) {
    const [own, root] = [versionOf(name), versionIn(join(BENCH, ".."), name)];
    if (own !== root)
      throw new Error(
        `The benchmark has ${name} ${own} and multibind ${root}: make bench/package.json agree with package.json.`,
      );
  }
}

function versionOf(name: string): string {
  return name === "multibind" ? versionIn(undefined, "..") : versionIn(BENCH, name);
}

function versionIn(folder: string | undefined, name: string): string {
  const path = folder === undefined ? join(BENCH, "..") : join(folder, "node_modules", name);
  return (JSON.parse(readFileSync(join(path, "package.json"), "utf8")) as { readonly version: string }).version;
}
