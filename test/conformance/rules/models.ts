import { ourError } from "../compare/errors.ts";
import { type Normalisation, ofExpected } from "../compare/normalisation.ts";
import { isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";
import { mapMembers, without } from "../read/objects.ts";
import type { ModelFacts, SchemaFacts } from "../schema/facts.ts";

/** What normalisations of a case about models may look at. */
export interface ModelsSubject {
  readonly facts: SchemaFacts;
  /** The steps that follow the definitions. */
  readonly steps: readonly Json[];
}

type ModelsNormalisation = Normalisation<JsonObject, ModelsSubject>;

/** Where multibind's models and metadata differ from the original's in whole classes of cases. */
export const modelsNormalisations: readonly ModelsNormalisation[] = [
  {
    name: "python-class-attributes",
    why: "Which class in a chain carries `__tablename__` or `metadata` as its own attribute is Python's mechanism; table and bind of each class are compared.",
    apply: ofExpected((result) =>
      mapModels(result, (model) =>
        without(model, ["tablename_attribute", "own_tablename_attribute", "sets_metadata_itself"]),
      ),
    ),
  },
  {
    name: "metadata-of-ones-own-is-a-binds",
    why: "There is one metadata for each bind key. An own metadata object of the original stands for the bind that its `info` names, which is also where its tables are routed.",
    apply: ofExpected((result, { facts }) => {
      const labels = new Map<string, string>();
      for (const { item } of [...facts.models.values(), ...facts.tables.values()]) {
        if (item.metadata?.own !== undefined) labels.set(`own:${item.metadata.own}`, labelOf(item.metadata.bind));
      }
      if (labels.size === 0) return result;
      const renamed = mapModels(result, (model) => mapMembers(model, (value) => labels.get(String(value)) ?? value));
      const tables: Record<string, Json> = {};
      for (const [label, own] of Object.entries(result["tables"] as JsonObject)) {
        const bind = labels.get(label) ?? label;
        tables[bind] = { ...(tables[bind] as JsonObject), ...(own as JsonObject) };
      }
      return { ...renamed, tables };
    }),
  },
  {
    name: "children-share-their-parents-bind",
    why:
      "A child that shares its parent's rows shares its bind. Naming another is refused when the class is made, and leaves nothing; naming none, the " +
      "child's own table is where the parent's is, also where that was made before its class.",
    apply: ofExpected((result, { facts }) => {
      const models = [...facts.models.values()];
      const refused = models.filter((model) => model.refused);
      const moved = models.filter(
        (model) => model.inheritance === "joined" && !model.refused && model.parent!.adopted !== undefined,
      );
      const refusedResult = refused.reduce((all, model) => withRefusal(all, model), result);
      return moved.reduce((all, model) => withBind(all, model), refusedResult);
    }),
  },
  {
    name: "a-models-bind-is-its-tables",
    why: "A model has one bind, that of its table; the original's class may say one and its table another, and routes by the table.",
    apply: ofExpected((result) =>
      mapModels(result, (model) =>
        typeof model["table_metadata"] === "string" ? { ...model, metadata: model["table_metadata"] } : model,
      ),
    ),
  },
  {
    name: "bind-keys-are-fixed",
    why: "The association of a class and its bind key is made with the class. Setting the key afterwards is an error, where in the original it is without effect for the class, but not for those that extend it later.",
    apply: ofExpected((result, { facts, steps }) => {
      const changed = steps.flatMap((step) =>
        memberOf(step, "op") === "set_bind_key" ? [String(memberOf(step, "model"))] : [],
      );
      if (changed.length === 0) return result;
      const values = (result["then"] as readonly Json[]).map((value, index) =>
        memberOf(steps[index], "op") === "set_bind_key" ? ourError("TypeError") : value,
      );
      const heirs = [...facts.models.values()].filter(
        ({ item, said }) => said === undefined && item.bases.some((base) => changed.includes(base)),
      );
      return heirs.reduce((all, model) => withBind(all, model), withSteps(result, values));
    }),
  },
  {
    name: "refused-definitions-leave-no-table",
    why: "A definition that fails leaves no table behind; the original's may have entered it before it failed.",
    apply: ofExpected((result, { facts }) => {
      const failed = (result["defined"] as readonly JsonObject[])
        .filter((one) => one["error"] !== undefined)
        .map((one) => facts.models.get(String(one["model"])));
      return failed.reduce(
        (all, model) => (model === undefined ? all : withoutTable(all, model, tableIsAnothers(model, facts))),
        result,
      );
    }),
  },
];

function withSteps(result: JsonObject, values: readonly Json[]): JsonObject {
  return Object.fromEntries(Object.entries(result).map(([name, value]) => [name, name === "then" ? values : value]));
}

function withRefusal(result: JsonObject, { item, said, table }: ModelFacts): JsonObject {
  const refusal = (one: JsonObject): JsonObject =>
    one["model"] === item.name ? { model: item.name, ...ourError("SchemaError") } : one;
  const tables = result["tables"] as JsonObject;
  const bind = labelOf(said ?? null);
  return {
    ...result,
    defined: (result["defined"] as readonly JsonObject[]).map(refusal),
    tables: table === undefined ? tables : { ...tables, [bind]: without(tables[bind], [table]) },
  };
}

/** Puts a class, and its table, where multibind has it. */
function withBind(result: JsonObject, { item, bind, table }: ModelFacts): JsonObject {
  const label = labelOf(bind);
  const place = (model: JsonObject): JsonObject => ({
    ...model,
    metadata: label,
    table_metadata: model["table_metadata"] === null ? null : label,
  });
  const isIt = (name: Json | undefined) => name === item.name;
  const after = result["models_after"];
  const tables: Record<string, Json> = {};
  let columns: Json | undefined;
  for (const [key, known] of Object.entries(result["tables"] as JsonObject)) {
    columns ??= memberOf(known, table ?? "");
    tables[key] = table === undefined ? known : without(known, [table]);
  }
  if (table !== undefined && columns !== undefined)
    tables[label] = { ...(tables[label] as JsonObject), [table]: columns };
  return {
    ...result,
    defined: (result["defined"] as readonly JsonObject[]).map((one) => (isIt(one["model"]) ? place(one) : one)),
    ...(isObject(after)
      ? {
          models_after: Object.fromEntries(
            Object.entries(after).map(([name, one]) => [name, isIt(name) ? place(one as JsonObject) : one]),
          ),
        }
      : {}),
    tables,
  };
}

function withoutTable(result: JsonObject, { table, bind }: ModelFacts, keep: boolean): JsonObject {
  const tables = result["tables"] as JsonObject;
  if (keep || table === undefined) return result;
  return { ...result, tables: { ...tables, [labelOf(bind)]: without(tables[labelOf(bind)], [table]) } };
}

function tableIsAnothers(model: ModelFacts, facts: SchemaFacts): boolean {
  const others = [...facts.models.values()].filter(
    (other) => other !== model && other.table === model.table && other.bind === model.bind,
  );
  return (
    others.length > 0 ||
    [...facts.tables.values()].some(({ item, bind }) => item.name === model.table && bind === model.bind)
  );
}

function mapModels(result: JsonObject, change: (model: JsonObject) => JsonObject): JsonObject {
  const isModel = (one: Json): one is JsonObject => isObject(one) && one["error"] === undefined;
  const mapped = (one: Json) => (isModel(one) ? change(one) : one);
  const after = result["models_after"];
  return {
    ...result,
    defined: (result["defined"] as readonly Json[]).map(mapped),
    ...(isObject(after) ? { models_after: mapMembers(after, mapped) } : {}),
  };
}
