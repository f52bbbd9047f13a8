import { errorResult } from "../compare/errors.ts";
import { Fields } from "../read/fields.ts";
import { asObject, FormatError, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";
import type { TraceEvent } from "../run/recorder.ts";
import { makeDeferredKeys } from "../schema/deferred-keys.ts";
import { advanceSequences } from "../schema/sequences.ts";
import { handlerOf } from "./handlers.ts";
import { World } from "./world.ts";

/** What came of a case's steps. */
export interface StepsOutcome {
  readonly steps: readonly Json[];
  /** What reached the engines; absent where that was not noted. */
  readonly trace?: readonly TraceEvent[];
  /** The binds that were chosen in each step; absent where that was not noted. */
  readonly chosen?: readonly (readonly Json[])[];
}

/** How long a step may take, in milliseconds. */
const STEP_TIMEOUT = 20_000;

/** Steps that leave or enter contexts, and so run in none. */
const CHANGES_CONTEXT = new Set(["enter_context", "exit_context"]);

/**
 * Makes the databases, classes and tables of a case and does its steps, one after the other.
 *
 * @param through gives the world that the steps see
 * @throws what the schema throws, if it cannot be made
 */
export async function runSteps(inputs: JsonObject, through = (world: World): World => world): Promise<StepsOutcome> {
  const fields = new Fields(inputs, "inputs");
  const settings = new Fields(fields.object("session_options"), "session_options");
  const options = {
    schema: fields.list("schema"),
    modelsFirst: fields.flag("models_first"),
    twoPhase: settings.flag("twophase"),
  };
  await using made = await World.make(fields.object("config"), options);
  const world = through(made);
  world.autoflush = settings.flag("autoflush", true);
  // Nothing expires here, with or without this option.
  settings.ignore("expire_on_commit");
  settings.end();
  await prepare(fields, world);
  // What is done once and for all is no part of the case.
  if (options.twoPhase) await world.recorder.unseen(() => world.application.recover());
  const context = fields.optionalText("context");
  if (context !== undefined && context !== "none") throw new FormatError(`the context ${context} is not known`);
  if (context === undefined) world.enterContext();
  const steps: Json[] = [];
  const chosen: Json[][] = [];
  for (const [index, step] of fields.list("steps").entries()) {
    world.recorder.step = index;
    world.chosen.take();
    steps.push(await runStep(asObject(step, "a step"), world));
    chosen.push(world.chosen.take());
  }
  // SQLite always sends BEGIN here and checks foreign keys; warnings and repetitions are the original's own.
  fields.ignore("kind", "trace", "routing", "explicit_begin", "foreign_keys", "record_warnings", "repeat");
  fields.end();
  return { steps, trace: [...made.recorder.events], chosen };
}

async function prepare(fields: Fields, world: World): Promise<void> {
  const { recorder, application, databases, bindKeys, schema } = world;
  const creates = fields.flag("create", true);
  if (creates) {
    await recorder.unseen(() => application.createAll({ bindKey: bindKeys }));
    await makeDeferredKeys(schema.facts, bindKeys, databases);
  }
  for (const row of fields.list("rows")) {
    const { bind, sql } = row as { readonly bind: string; readonly sql: string };
    await databases.run(keyOf(bind), sql);
  }
  if (creates) await advanceSequences(schema.facts, bindKeys, databases);
}

async function runStep(step: JsonObject, world: World): Promise<Json> {
  const inner = memberOf(step, "do");
  if (step["op"] === "no_autoflush") return noAutoflush(asObject(inner, "no_autoflush.do"), world);
  const fields = new Fields(step, `the step ${JSON.stringify(step)}`);
  const handle = handlerOf(fields);
  try {
    const run = async () => handle(fields, world);
    const result = await inTime(CHANGES_CONTEXT.has(String(step["op"])) ? run() : world.inContext(run));
    fields.end();
    return result;
  } catch (error) {
    if (error instanceof FormatError || error instanceof StepTimeout) throw error;
    return errorResult(error);
  }
}

async function noAutoflush(step: JsonObject, world: World): Promise<Json> {
  const before = world.autoflush;
  world.autoflush = false;
  try {
    return await runStep(step, world);
  } finally {
    world.autoflush = before;
  }
}

/** A step did not end. */
class StepTimeout extends Error {}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new StepTimeout(`a step took more than ${STEP_TIMEOUT / 1000} seconds`)),
    STEP_TIMEOUT,
  );
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
