/**
 * Draws bench/results.json as bench/results.svg: `npm run bench:plot`.
 *
 * @module
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Results } from "./harness/results.ts";
import { drawing } from "./report/svg.ts";

const folder = import.meta.dirname;
const { backends } = JSON.parse(readFileSync(join(folder, "results.json"), "utf8")) as Results;
writeFileSync(join(folder, "results.svg"), drawing(Object.values(backends)));
console.log("Drawn: bench/results.svg.");
