import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import type { Session } from "../../../src/index.ts";
import { judge } from "../judge/judge.ts";
import { type Case, readCases } from "../read/cases.ts";
import { stopPreparingPostgres } from "../run/preparing-postgres.ts";
import type { World } from "../steps/world.ts";
import { hollow } from "./hollow-world.ts";

after(stopPreparingPostgres);

const cases = await readCases(join(import.meta.dirname, "..", "data"));

/** Cases whose whole result is that nothing happens, so that a library that does nothing is right too. */
const NOTHING_HAPPENS: Readonly<Record<string, string>> = {
  "routing-single-child-other-key": "The class is refused when it is made, before any step.",
  "routing-joined-child-other-bind": "The class is refused when it is made, before any step.",
  "routing-joined-child-other-bind-flush": "The class is refused when it is made, before any step.",
  "session-rollback-pending": "A new object is transient again after a rollback.",
  "session-context-exit-pending": "A new object is transient again after its context.",
  "twophase-sqlite-no-work": "A commit of nothing succeeds.",
};

test("no case with steps passes on a library that does nothing, but where nothing is what happens", async () => {
  const passed: string[] = [];
  for (const one of cases.filter(({ inputs }) => inputs["steps"] !== undefined)) {
    const { outcome } = await judge(withoutServers(one), { through: hollow });
    if (outcome === "passed") passed.push(one.id);
  }
  assert.deepEqual(passed, Object.keys(NOTHING_HAPPENS));
});

/** The case with a database in memory in the place of each server's: nothing reaches them. */
function withoutServers(one: Case): Case {
  const inputs = JSON.parse(JSON.stringify(one.inputs).replaceAll(/"pg:\w+"/g, '"sqlite://"'));
  return { ...one, inputs };
}

/** Sees a world through a session of which some members do something else. */
function withSession(members: (session: Session) => Partial<Session>): (world: World) => World {
  return (world) => {
    const { enterContext } = world;
    return Object.defineProperty(world, "enterContext", {
      value() {
        enterContext.call(world);
        const { session } = world;
        for (const [name, value] of Object.entries(members(session))) Object.defineProperty(session, name, { value });
      },
    });
  };
}

const MUTANTS = [
  {
    what: "a session's connection is always the default bind's",
    ids: ["routing-connection"],
    through: withSession((session) => ({ kysely: session.kysely.bind(session, null) as Session["kysely"] })),
  },
  {
    what: "everything is on one bind",
    ids: ["routing-connection", "routing-connection-select-clause", "routing-connection-unknown"],
    through: withSession((session) => ({ getBind: () => session.getBind.call(session, { bindKey: "b" }) })),
  },
] as const;

for (const { what, ids, through } of MUTANTS) {
  test(`cases fail on a library in which ${what}`, async () => {
    for (const id of ids) {
      const one = cases.find((other) => other.id === id)!;
      assert.equal((await judge(one)).outcome, "passed", id);
      assert.equal((await judge(one, { through })).outcome, "failed", id);
    }
  });
}
