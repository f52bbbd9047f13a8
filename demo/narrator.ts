import type { FinishedStatementEvent } from "../src/index.ts";

const COLOURED = process.stdout.isTTY === true && !process.env["NO_COLOR"];

/** The colour of each engine's lines: default, auth, meta. */
const BY_BIND: Readonly<Record<string, number>> = { default: 36, auth: 35, meta: 33 };
/** Lines are cut to the width of the terminal, if there is one. */
const WIDTH =
  process.stdout.columns === undefined ? Number.POSITIVE_INFINITY : Math.max(60, process.stdout.columns - 14);

function paint(text: string, ...codes: number[]): string {
  return COLOURED ? `\u001b[${codes.join(";")}m${text}\u001b[0m` : text;
}

let step = 0;
let silent = false;

/** Does what the story leaves out, such as clearing away what an earlier run has left on a server. */
export async function silently(work: () => Promise<void>): Promise<void> {
  silent = true;
  await work();
  silent = false;
}

/** Announces what is about to happen, and the code that does it. */
export function announce(title: string, code: string): void {
  console.log(`\n${paint(`${++step}. ${title}`, 1)}`);
  for (const line of code.trim().split("\n")) console.log(paint(`   ${line}`, 2));
}

/** Shows a statement beside the engine that received it. */
export function narrate({ bindKey, sql, parameters, error }: FinishedStatementEvent): void {
  if (silent) return;
  const bind = bindKey ?? "default";
  const values = parameters.length === 0 ? "" : `  ${JSON.stringify(parameters)}`;
  const text = `${sql.replaceAll(/\s+/g, " ").trim()}${values}`;
  const shown = text.length > WIDTH ? `${text.slice(0, WIDTH - 1)}…` : text;
  console.log(
    `   ${paint(bind.padStart(7), BY_BIND[bind] ?? 37)} ${paint("│", 2)} ${shown}${error === undefined ? "" : paint("  refused", 31)}`,
  );
}

/** Says what came of it. */
export function conclude(text: string): void {
  console.log(`   ${paint("→", 32)} ${text}`);
}
