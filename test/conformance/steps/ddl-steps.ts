import type { BindChoice, BindKey } from "../../../src/index.ts";
import { modelFacts } from "../metadata/model-facts.ts";
import type { Fields } from "../read/fields.ts";
import { asList, isList, type Json, memberOf } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import type { StepHandlers } from "./step.ts";

/** Steps that make, drop and read tables, and that look at which there are. */
export const ddlSteps: StepHandlers = {
  create_all: async (step, { db }) => {
    await db.createAll(choiceOf(step));
    return null;
  },
  drop_all: async (step, { db }) => {
    await db.dropAll(choiceOf(step));
    return null;
  },
  reflect: async (step, { db }) => {
    await db.reflect(choiceOf(step));
    return null;
  },
  define: (step, { schema }) => {
    schema.define(step.json("item")!);
    return null;
  },
  db_tables: (step, { databases }) => databases.tablesOf(keyOf(step.text("bind"))),
  all_db_tables: async (_, { databases, bindKeys }) => {
    const tables: Record<string, Json> = {};
    for (const key of bindKeys) tables[labelOf(key)] = await databases.tablesOf(key);
    return tables;
  },
  all_md_tables: (_, { db }) =>
    Object.fromEntries([...db.metadatas].map(([key, { tables }]) => [labelOf(key), [...tables.keys()].sort()])),
  model_facts: (step, { schema }) => modelFacts(schema.model(step.text("model"))),
  md_columns: (step, { db }) => {
    const table = db.metadatas.get(keyOf(step.text("bind"))).tables.get(step.text("table"));
    return table === undefined ? null : table.columnList.map(({ property }) => property);
  },
};

/** The binds that a step names: none for all, a key, null for the default one, or a list; a tuple is a list. */
function choiceOf(step: Fields): BindChoice {
  if (!step.has("bind_key")) return {};
  const given = step.json("bind_key")!;
  const tuple = memberOf(given, "tuple");
  const list = tuple === undefined ? given : asList(tuple, "a tuple");
  return { bindKey: (isList(list) ? [...list] : list) as BindKey | BindKey[] };
}
