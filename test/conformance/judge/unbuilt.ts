import type { Case } from "../read/cases.ts";
import { isList, type Json, memberOf } from "../read/json.ts";

/** What will build the features that cases need and multibind does not have yet, by the issue's subject; or why none will. */
const ISSUES = {
  byHand: "None: a commit prepares what it has to, and a session is not prepared by hand",
  relations: "Relations across binds",
} as const;

/** Something that a case may use and that is not built yet. */
interface Unbuilt {
  readonly issue: string;
  uses(one: Case, steps: readonly Json[]): boolean;
}

const op = (step: Json) => memberOf(step, "op");
const usesOp =
  (...names: readonly string[]) =>
  (_: Case, steps: readonly Json[]) =>
    steps.some((step) => names.includes(String(op(step))));

const UNBUILT: readonly Unbuilt[] = [
  // Objects that refer to each other: lazy and eager loads, many-to-many, cascades.
  {
    issue: ISSUES.relations,
    uses: ({ inputs }) => schemaOf(inputs).some((item) => memberOf(item, "relationships") !== undefined),
  },
  { issue: ISSUES.byHand, uses: usesOp("prepare") },
];

/** The subject of the issue that will build what a case needs; nothing where all of it is there. */
export function unbuiltIn(one: Case): string | undefined {
  const steps = one.inputs["steps"];
  return UNBUILT.find(({ uses }) => uses(one, isList(steps) ? steps : []))?.issue;
}

function schemaOf(inputs: Case["inputs"]): readonly Json[] {
  const { schema } = inputs;
  return isList(schema) ? schema : [];
}
