import type { BindKey } from "../../../src/index.ts";
import type { Normalisation } from "../compare/normalisation.ts";
import { asObject, isList, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import type { TraceEvent } from "../run/recorder.ts";
import { SchemaFacts } from "../schema/facts.ts";
import type { StepsOutcome } from "../steps/run-steps.ts";

/** A normalisation of what came of steps. */
export type StepsNormalisation = Normalisation<StepsOutcome, StepsSubject>;

/** What normalisations of a case with steps may look at: what is done, to what, and in which context. */
export class StepsSubject {
  readonly inputs: JsonObject;
  readonly steps: readonly JsonObject[];
  /** All that the case defines, in its schema or in steps. */
  readonly facts: SchemaFacts;
  /** The binds that are configured, in the order of their commits. */
  readonly binds: readonly BindKey[];
  /** The context that each step runs in; a step that leaves a context runs in it. */
  readonly contexts: readonly number[];
  readonly #models: ReadonlyMap<string, string>;

  constructor(inputs: JsonObject) {
    this.inputs = inputs;
    this.steps = (isList(inputs["steps"]) ? inputs["steps"] : []).map((step) => asObject(step, "a step"));
    this.facts = this.factsBefore(this.steps.length);
    this.binds = configuredBinds(inputs["config"]);
    this.contexts = contextsOf(this.steps);
    this.#models = modelsOf(this.steps);
  }

  /** What is defined when a step begins. */
  factsBefore(step: number): SchemaFacts {
    const { schema } = this.inputs;
    const later = this.steps.slice(0, step).flatMap((one) => (one["op"] === "define" ? [one["item"]!] : []));
    return new SchemaFacts([...(isList(schema) ? schema : []), ...later]);
  }

  /** A step's name; of a step around another, that one's. */
  op(step: number): string {
    return String(this.innerStep(step)["op"]);
  }

  /** A step, or the one that it is put around. */
  innerStep(step: number): JsonObject {
    const inner = memberOf(this.steps[step], "do");
    return isObject(inner) ? inner : this.steps[step]!;
  }

  /** Whether what is pending is stored before statements of a step. */
  autoflushes(step: number): boolean {
    return this.op(step) === this.steps[step]!["op"] && memberOf(this.inputs["session_options"], "autoflush") !== false;
  }

  /** The model of an object by its label. */
  modelOf(label: string): string {
    return this.#models.get(label) ?? label.replace(/\(.*$/, "");
  }

  /** The bind of an object by its label, as cases write it; nothing where its model is not known. */
  bindOf(label: string): string | undefined {
    const facts = this.facts.models.get(this.modelOf(label));
    return facts === undefined ? undefined : labelOf(facts.bind);
  }
}

/** Changes the values of steps. */
export function mapSteps(outcome: StepsOutcome, change: (value: Json, step: number) => Json): StepsOutcome {
  return { ...outcome, steps: outcome.steps.map(change) };
}

/** Changes the events of each step; nothing is changed where nothing was noted. */
export function mapEvents(
  outcome: StepsOutcome,
  change: (events: readonly TraceEvent[], step: number) => readonly TraceEvent[],
): StepsOutcome {
  const { trace } = outcome;
  return trace === undefined
    ? outcome
    : { ...outcome, trace: outcome.steps.flatMap((_, step) => change(eventsOf(trace, step), step)) };
}

/** Changes what was chosen in each step; nothing is changed where nothing was noted. */
export function mapChosen(
  outcome: StepsOutcome,
  change: (chosen: readonly Json[], step: number) => readonly Json[],
): StepsOutcome {
  const { chosen } = outcome;
  return chosen === undefined ? outcome : { ...outcome, chosen: chosen.map(change) };
}

/** The events of a step. */
export function eventsOf(trace: readonly TraceEvent[], step: number): TraceEvent[] {
  return trace.filter((event) => event.step === step);
}

const TRANSACTION = /^(BEGIN|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|PREPARE)\b/;

/** Whether an event is a statement, not the begin or end of a transaction. */
export function isStatement({ event }: TraceEvent): boolean {
  return !TRANSACTION.test(event);
}

function configuredBinds(config: Json | undefined): BindKey[] {
  const binds = memberOf(config, "binds");
  const keys = isObject(binds) ? Object.keys(binds).map(keyOf) : [];
  const hasDefault = typeof memberOf(config, "uri") === "string";
  return hasDefault ? [...keys.filter((key) => key !== null), null] : keys;
}

function contextsOf(steps: readonly JsonObject[]): number[] {
  const entered = [0];
  let count = 1;
  return steps.map(({ op }) => {
    if (op === "enter_context") entered.push(count++);
    const here = entered.at(-1) ?? -1;
    if (op === "exit_context") entered.pop();
    return here;
  });
}

function modelsOf(steps: readonly JsonObject[]): Map<string, string> {
  const models = new Map<string, string>();
  for (const { as, model } of steps)
    if (typeof as === "string" && typeof model === "string" && !models.has(as)) models.set(as, model);
  return models;
}
