/**
 * Judges multibind by recorded facts about Flask-SQLAlchemy: `node test/conformance/run.ts [--postgresql] [dir]`. The
 * folder holds files in the format of data/README.md; it is `data` unless given. Exit code 1 if a case failed.
 *
 * With `--postgresql` the cases are run that were recorded with a PostgreSQL database per bind too, in that way.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { judge } from "./judge/judge.ts";
import { onPostgres } from "./judge/on-postgres.ts";
import type { Verdict } from "./judge/verdict.ts";
import { readCases } from "./read/cases.ts";
import { reportOf } from "./report.ts";
import { stopPreparingPostgres } from "./run/preparing-postgres.ts";

const { values, positionals } = parseArgs({ options: { postgresql: { type: "boolean" } }, allowPositionals: true });
const directory = positionals[0] === undefined ? join(import.meta.dirname, "data") : resolve(positionals[0]);
const cases = await readCases(directory);
const verdicts: Verdict[] = [];
for (const one of values.postgresql === true ? cases.flatMap((each) => onPostgres(each) ?? []) : cases)
  verdicts.push(await judge(one));
await stopPreparingPostgres();
for (const line of reportOf(verdicts)) console.log(line);
if (verdicts.some(({ outcome }) => outcome === "failed")) process.exitCode = 1;
