import { errorIn } from "../../compare/errors.ts";
import { ofBoth, ofExpected } from "../../compare/normalisation.ts";
import { isList, isObject } from "../../read/json.ts";
import { mapSteps, type StepsNormalisation, type StepsSubject } from "../subject.ts";

/** Whom an object belongs to. */
export const deletedStillBelong: StepsNormalisation = {
  name: "deleted-objects-belong-until-the-commit",
  why: "`contains` tells whether an object belongs to the session, as `stateOf` does: one whose row was deleted belongs to it until the commit. The original leaves it out from the flush on.",
  apply: ofExpected((outcome, subject) =>
    mapSteps(outcome, (value, index) => {
      const { op, obj } = subject.steps[index]!;
      if (op !== "in_session") return value;
      const before = subject.steps.slice(0, index);
      const deleted = before.findLastIndex((step) => step["op"] === "delete" && step["obj"] === obj);
      const ended = before
        .slice(Math.max(deleted, 0))
        .some((step) => step["op"] === "commit" || step["op"] === "rollback");
      return deleted >= 0 && !ended ? true : value;
    }),
  ),
};

/** Numbers of a sequence. */
export const sequencesGoOn: StepsNormalisation = {
  name: "sequences-go-on",
  why:
    "A sequence of PostgreSQL does not take back the numbers of rows that were rolled back. The original gives such a row its old number when it is added " +
    "again, and stops a failing flush before it comes to other binds; here generated keys are taken back with the row. After a rollback, keys are compared by their order.",
  apply: ofBoth((outcome, subject) => {
    const onPostgres = JSON.stringify(subject.inputs["config"]).includes('"pg:');
    return mapSteps(outcome, (value, index) => {
      if (!onPostgres || subject.op(index) !== "committed" || !isList(value)) return value;
      const before = outcome.steps.slice(0, index);
      const rolledBack = before.some(
        (one, step) => ["rollback", "sp_rollback"].includes(subject.op(step)) || errorIn(one) !== undefined,
      );
      return rolledBack ? value.map((row, position) => (isList(row) ? [position, ...row.slice(1)] : row)) : value;
    });
  }),
};

/** Leaving a context is a rollback for its objects. */
export const contextsRollBack: StepsNormalisation = {
  name: "contexts-roll-back-objects",
  why: "What a context leaves uncommitted is rolled back with its objects: new ones are transient again, where the original's are detached though no row is theirs.",
  apply: ofExpected((outcome, subject) =>
    mapSteps(outcome, (value, index) => {
      if (subject.op(index) !== "states" || !isObject(value)) return value;
      return Object.fromEntries(
        Object.entries(value).map(([label, state]) => [
          label,
          state === "detached" && wasLeft(label, index, subject) ? "transient" : state,
        ]),
      );
    }),
  ),
};

/** Whether a new object was added in a context that was left since, without a commit there after it. */
function wasLeft(label: string, before: number, { steps, contexts }: StepsSubject): boolean {
  const added = steps.findLastIndex(
    ({ op, obj, objs }, index) =>
      index < before && ((op === "add" && obj === label) || (op === "add_all" && isList(objs) && objs.includes(label))),
  );
  if (added < 0 || !steps.some(({ op, as }) => op === "new" && as === label)) return false;
  const later = steps
    .map(({ op }, index) => ({ op, index }))
    .filter(({ index }) => index > added && index < before && contexts[index] === contexts[added]);
  return later.some(({ op }) => op === "exit_context") && !later.some(({ op }) => op === "commit");
}
