import { type Application, integer, Multibind, text } from "../../src/index.ts";
import { median } from "../harness/statistics.ts";

/** What calls cost that touch no database, in microseconds. */
export interface CallCosts {
  getBind: number;
  session: number;
  context: number;
  contextAndSession: number;
}

/** Something that is done so often, in a loop of its own. */
interface Call {
  readonly costs: number[];
  readonly name: keyof CallCosts;
  readonly binds: number;
  run(times: number): unknown;
}

export const CALL_BINDS = [2, 1_000] as const;

const TIMES = 20_000;
const WARM_UPS = 5;

/** What multibind's own doings cost, with few binds configured and with many. */
export async function measureCalls(rounds: number): Promise<Map<number, CallCosts>> {
  const made = CALL_BINDS.map(callsWith);
  const calls = made.flatMap((one) => one.calls);
  for (const { run } of calls) for (let warmUp = 0; warmUp < WARM_UPS; warmUp++) await run(TIMES);
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < calls.length; place++) {
      const { costs, run } = calls[(round + place) % calls.length]!;
      globalThis.gc?.({ type: "minor" });
      const start = performance.now();
      await run(TIMES);
      costs.push(((performance.now() - start) * 1000) / TIMES);
    }
  }
  for (const { app } of made) await app.dispose();
  return new Map(
    CALL_BINDS.map((binds) => {
      const own = calls.filter((call) => call.binds === binds);
      return [binds, Object.fromEntries(own.map(({ name, costs }) => [name, median(costs)])) as unknown as CallCosts];
    }),
  );
}

function callsWith(binds: number): { readonly app: Application; readonly calls: readonly Call[] } {
  const db = new Multibind();
  class Post extends db.model("post", { id: integer().primaryKey(), title: text() }, { bindKey: "bind0" }) {}
  const app = db.init({
    binds: Object.fromEntries(Array.from({ length: binds }, (_, place) => [`bind${place}`, "sqlite://"])),
  });
  const session = app.session();
  const call = (name: keyof CallCosts, run: Call["run"]): Call => ({ name, binds, costs: [], run });
  const calls = [
    call("getBind", (times) => {
      for (let time = 0; time < times; time++) session.getBind({ model: Post });
    }),
    call("session", async (times) => {
      for (let time = 0; time < times; time++) await app.session().close();
    }),
    call("context", async (times) => {
      for (let time = 0; time < times; time++) await app.run(nothing);
    }),
    call("contextAndSession", async (times) => {
      for (let time = 0; time < times; time++) await app.run(() => void db.session);
    }),
  ];
  return { app, calls };
}

function nothing(): void {}
