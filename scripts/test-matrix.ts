/**
 * Runs the tests with other versions than those that are installed, in temporary folders. `npm run test:matrix` runs all
 * parts; `npm run test:matrix -- runtimes Asia/Kolkata` those that are named. `--folder query` limits the tests of a part.
 */
import { parseArgs } from "node:util";
import { peers } from "./matrix/peers.ts";
import { postgres18 } from "./matrix/postgres.ts";
import { runtimes } from "./matrix/runtimes.ts";
import { zones } from "./matrix/zones.ts";

const PARTS: readonly {
  readonly name: string;
  readonly title: string;
  run(folders?: readonly string[]): Promise<boolean>;
}[] = [runtimes, postgres18, ...peers, ...zones];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { folder: { type: "string", multiple: true } },
});
const unknown = positionals.filter((name) => PARTS.every((part) => part.name !== name));
if (unknown.length > 0) {
  console.error(`Unknown: ${unknown.join(", ")}. The parts are: ${PARTS.map(({ name }) => name).join(", ")}.`);
  process.exit(1);
}
const failed: string[] = [];
for (const { name, title, run } of PARTS) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  console.log(`\n${title}`);
  if (!(await run(values.folder))) failed.push(name);
}
console.log(failed.length === 0 ? "\nAll parts passed." : `\nFailed: ${failed.join(", ")}`);
process.exit(failed.length === 0 ? 0 : 1);
