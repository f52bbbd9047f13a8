import { differenceOf, type Instead } from "../differences.ts";
import type { Case } from "../read/cases.ts";
import { FormatError } from "../read/json.ts";
import { NoPostgresError } from "../run/postgres.ts";
import type { StepsOutcome } from "../steps/run-steps.ts";
import type { World } from "../steps/world.ts";
import { judgeConfig } from "./judge-config.ts";
import { judgeConvert, judgeModels } from "./judge-models.ts";
import { judgePages } from "./judge-pages.ts";
import { judgeSteps } from "./judge-steps.ts";
import { missingFor } from "./missing.ts";
import type { Findings, Verdict } from "./verdict.ts";

/** How cases are judged. */
export interface JudgeOptions {
  /** `false`: without the reviewed differences, to see whether they are needed. */
  readonly withDifferences?: boolean;
  /** Gives the world that steps see; the case's own by default. */
  readonly through?: (world: World) => World;
}

/** Runs a case and says what became of it. */
export async function judge(one: Case, { withDifferences = true, through }: JudgeOptions = {}): Promise<Verdict> {
  const reason = missingFor(one);
  if (reason !== undefined)
    return { case: one, outcome: "skipped", messages: [reason], normalisations: [], difference: undefined };
  const difference = withDifferences ? differenceOf(one.id) : undefined;
  try {
    const { messages, normalisations } = await findingsOf(one, difference?.instead ?? {}, through);
    return { case: one, outcome: messages.length === 0 ? "passed" : "failed", messages, normalisations, difference };
  } catch (error) {
    const base = { case: one, normalisations: [], difference };
    if (error instanceof NoPostgresError)
      return { ...base, outcome: "skipped", messages: ["Needs a PostgreSQL server"] };
    const message =
      error instanceof FormatError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error);
    return { ...base, outcome: "failed", messages: [message] };
  }
}

function findingsOf(one: Case, instead: Instead, through: JudgeOptions["through"]): Promise<Findings> | Findings {
  const { inputs } = one;
  if (inputs["apps"] !== undefined) return judgeConfig(one);
  if (inputs["kind"] === "convert") return judgeConvert(one);
  if (inputs["kind"] === "iter_pages") return judgePages(one);
  if (inputs["kind"] === "models") return judgeModels(one, (result) => ({ ...result, ...instead.result }));
  if (inputs["steps"] !== undefined) return judgeSteps(one, (expected) => withInstead(expected, instead), through);
  throw new FormatError(
    `the inputs have ${Object.keys(inputs).join(", ")}, which is no kind of case that this runner knows`,
  );
}

function withInstead(expected: StepsOutcome, { steps = {}, trace = {}, chosen = {} }: Instead): StepsOutcome {
  return {
    ...expected,
    steps: expected.steps.map((value, index) => (steps[index] === undefined ? value : steps[index])),
    ...(expected.chosen === undefined ? {} : { chosen: expected.chosen.map((value, index) => chosen[index] ?? value) }),
    ...(expected.trace === undefined
      ? {}
      : { trace: expected.steps.flatMap((_, step) => eventsInstead(expected, step, trace[step])) }),
  };
}

function eventsInstead({ trace = [] }: StepsOutcome, step: number, instead: readonly string[] | undefined) {
  if (instead === undefined) return trace.filter((event) => event.step === step);
  return instead.map((text) => {
    const at = text.lastIndexOf("@");
    return { step, event: text.slice(0, at), bind: text.slice(at + 1) };
  });
}
