import { errorIn, ourError } from "../../compare/errors.ts";
import { ofExpected } from "../../compare/normalisation.ts";
import { asList, isList, type Json, type JsonObject, memberOf } from "../../read/json.ts";
import { keyOf, labelOf } from "../../read/keys.ts";
import type { TraceEvent } from "../../run/recorder.ts";
import type { NamedTable, SchemaFacts } from "../../schema/facts.ts";
import type { StepsOutcome } from "../../steps/run-steps.ts";
import { eventsOf, type StepsNormalisation, type StepsSubject } from "../subject.ts";

/** Each bind's tables are made and dropped on their own. */
export const ddlOnEachBind: StepsNormalisation = {
  name: "ddl-on-each-bind",
  why:
    "`createAll` and `dropAll` work on each bind by itself, in one transaction: a bind that fails keeps nothing of it, and does not keep the others from " +
    "theirs, which the original never comes to. A default bind without tables and without engine is passed over, where the original always fails. " +
    "`__all__` is a bind key like any other text; all binds are meant by leaving the key out.",
  apply: ofExpected((outcome, subject) => new Ddl(outcome, subject).outcome()),
};

/** Which tables there are in each bind, step by step, as multibind makes and drops them. */
class Ddl {
  readonly #subject: StepsSubject;
  readonly #given: StepsOutcome;
  readonly #steps: Json[];
  readonly #tables = new Map<string, Set<string>>();
  #trace: TraceEvent[];
  /** Whether multibind and the original have come to differ in what is there. */
  #differs = false;

  constructor(given: StepsOutcome, subject: StepsSubject) {
    this.#subject = subject;
    this.#given = given;
    this.#steps = [...given.steps];
    this.#trace = [...(given.trace ?? [])];
    for (const bind of subject.binds) this.#tables.set(labelOf(bind), new Set());
  }

  outcome(): StepsOutcome {
    if (this.#given.trace === undefined) return this.#given;
    this.#subject.steps.forEach((step, index) => {
      const op = step["op"];
      if (op === "create_all" || op === "drop_all") this.#change(op, step, index);
      else if (this.#differs && op === "db_tables") this.#steps[index] = this.#of(String(step["bind"]));
      else if (this.#differs && op === "all_db_tables")
        this.#steps[index] = Object.fromEntries([...this.#tables.keys()].map((bind) => [bind, this.#of(bind)]));
    });
    return { ...this.#given, steps: this.#steps, trace: this.#trace.sort((a, b) => a.step - b.step) };
  }

  #of(bind: string): string[] {
    return [...(this.#tables.get(bind) ?? [])].sort();
  }

  #change(op: "create_all" | "drop_all", step: JsonObject, index: number): void {
    const error = errorIn(this.#given.steps[index]);
    const facts = this.#subject.factsBefore(index);
    const binds = this.#targets(step, facts);
    if (step["bind_key"] === "__all__" && !this.#tables.has("__all__")) {
      this.#steps[index] = ourError("UnboundExecutionError");
      this.#replace(index, []);
    } else if (memberOf(error, "class") === "RuntimeError" && /^injected/.test(String(memberOf(error, "message")))) {
      const failing = this.#failingBind(index);
      const recorded = eventsOf(this.#given.trace ?? [], index).filter(({ bind }) => bind === failing);
      this.#replace(index, [
        ...recorded,
        ...binds.filter((bind) => bind !== failing).flatMap((bind) => this.#run(op, bind, facts, index)),
      ]);
    } else if (
      memberOf(error, "class") === "UnboundExecutionError" &&
      step["bind_key"] === undefined &&
      this.#isPassedOver(facts)
    ) {
      this.#steps[index] = null;
      this.#replace(
        index,
        binds.flatMap((bind) => this.#run(op, bind, facts, index)),
      );
    } else {
      for (const { event, bind } of eventsOf(this.#given.trace ?? [], index)) {
        const [verb, , table = ""] = event.split(" ");
        if (verb === "CREATE") this.#tables.get(bind)?.add(table);
        if (verb === "DROP") this.#tables.get(bind)?.delete(table);
      }
    }
  }

  /** The binds that a step is about, as cases write them. */
  #targets(step: JsonObject, facts: SchemaFacts): string[] {
    const given = step["bind_key"];
    if (given === undefined) return [...this.#tables.keys()].filter((bind) => facts.tablesOf(keyOf(bind)).length > 0);
    const list = isList(given) ? given : asList(memberOf(given, "tuple") ?? [given], "bind_key");
    return [...new Set(list.map((key) => labelOf(key as string | null)))];
  }

  #failingBind(index: number): string {
    const injection = this.#subject.steps.slice(0, index).findLast(({ op }) => op === "inject_failure");
    return String(injection?.["bind"]);
  }

  /** Whether no engine is needed for the default bind, because it has no tables. */
  #isPassedOver(facts: SchemaFacts): boolean {
    return !this.#subject.binds.includes(null) && facts.tablesOf(null).length === 0;
  }

  #replace(index: number, events: readonly TraceEvent[]): void {
    this.#differs = true;
    this.#trace = [...this.#trace.filter(({ step }) => step !== index), ...events];
  }

  #run(op: "create_all" | "drop_all", bind: string, facts: SchemaFacts, step: number): TraceEvent[] {
    const there = this.#tables.get(bind)!;
    const known = parentsFirst(facts.tablesOf(keyOf(bind))).map(({ table }) => table);
    const changed =
      op === "create_all"
        ? known.filter((table) => !there.has(table))
        : known.filter((table) => there.has(table)).reverse();
    for (const table of changed) op === "create_all" ? there.add(table) : there.delete(table);
    const events = [
      "BEGIN",
      ...changed.map((table) => `${op === "create_all" ? "CREATE" : "DROP"} TABLE ${table}`),
      "COMMIT",
    ];
    return events.map((event) => ({ step, event, bind }));
  }
}

function parentsFirst(tables: readonly NamedTable[]): NamedTable[] {
  const sorted: NamedTable[] = [];
  const visit = (table: NamedTable, path: readonly NamedTable[]) => {
    if (sorted.includes(table) || path.includes(table)) return;
    for (const { reference } of table.columns) {
      const parent = tables.find((other) => other.table === reference?.target.split(".")[0]);
      if (parent !== undefined) visit(parent, [...path, table]);
    }
    sorted.push(table);
  };
  for (const table of tables) visit(table, []);
  return sorted;
}
