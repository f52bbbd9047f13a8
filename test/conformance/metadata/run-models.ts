import { type BindKey, Multibind, type NamingConvention } from "../../../src/index.ts";
import { errorResult } from "../compare/errors.ts";
import { configurationOf } from "../config/configuration.ts";
import type { Case } from "../read/cases.ts";
import { Fields } from "../read/fields.ts";
import { asObject, FormatError, type Json, type JsonObject } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import { Places } from "../run/places.ts";
import { SchemaBuilder } from "../schema/builder.ts";
import { SchemaFacts } from "../schema/facts.ts";
import { constraintNames } from "./constraint-names.ts";
import { columnsOf, modelFacts } from "./model-facts.ts";

/** Defines what a case describes, item by item, and tells what came of each. */
export async function runModelsCase({ inputs }: Case): Promise<JsonObject> {
  await using places = await Places.make();
  const fields = new Fields(inputs, "inputs");
  fields.ignore("kind");
  const autonaming = !fields.flag("disable_autonaming");
  const convention = fields.object("naming_convention");
  const db = new Multibind({ namingConvention: conventionOf(convention) });
  const config = fields.json("config");
  const init = () =>
    config === undefined ? undefined : db.init(configurationOf(new Fields(config, "config"), places));
  const builder = new SchemaBuilder(db, new SchemaFacts([], { autonaming }));
  const defineAll = () => fields.list("schema").map((item) => define(builder, item));
  const early = fields.flag("models_first") ? defineAll() : undefined;
  const application = init();
  const defined = early ?? defineAll();
  const steps = fields.list("then");
  const then = steps.map((step) => runStep(step, builder, db));
  const names = fields.flag("constraints") ? { constraint_names: await constraintNames(db) } : {};
  fields.end();
  await application?.dispose();
  return {
    defined,
    tables: tablesOf(db),
    ...(steps.length === 0 ? {} : { then, models_after: modelsAfter(builder) }),
    ...names,
  };
}

function define(builder: SchemaBuilder, item: Json): Json {
  try {
    const made = builder.define(item);
    switch (made.kind) {
      case "table":
        return { table: made.table.tableName, metadata: labelOf(made.table.bindKey) };
      default:
        return { model: made.name, ...modelFacts(builder.model(made.name)) };
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return { ...asObject({ model: asObject(item, "an item")["model"] ?? null }, "an item"), ...errorResult(error) };
  }
}

function runStep(value: Json, builder: SchemaBuilder, db: Multibind): Json {
  const step = new Fields(value, "a step");
  const op = step.text("op");
  try {
    switch (op) {
      case "metadatas":
        return [...db.metadatas.keys()].map(labelOf);
      case "define":
        builder.define(step.json("item")!);
        return null;
      case "set_bind_key": {
        const model = builder.model(step.text("model")) as { bindKey: BindKey };
        model.bindKey = keyOf(step.text("value"));
        return null;
      }
      default:
        throw new FormatError(`the step ${op} is not known here`);
    }
  } catch (error) {
    if (error instanceof FormatError) throw error;
    return errorResult(error);
  } finally {
    step.end();
  }
}

function modelsAfter(builder: SchemaBuilder): JsonObject {
  const made = [...builder.facts.models.values()].filter(({ item }) => builder.findModel(item.name) !== undefined);
  return Object.fromEntries(made.map((facts) => [facts.item.name, modelFacts(builder.model(facts.item.name))]));
}

function tablesOf(db: Multibind): JsonObject {
  return Object.fromEntries(
    [...db.metadatas].map(([key, { tables }]) => [
      labelOf(key),
      Object.fromEntries([...tables].map(([name, table]): [string, Json] => [name, columnsOf(table)])),
    ]),
  );
}

const PLACEHOLDERS: Readonly<Record<string, string>> = {
  table_name: "{table}",
  column_0_name: "{column}",
  column_0_N_name: "{columns}",
  referred_table_name: "{referredTable}",
  referred_column_0_name: "{referredColumns}",
  constraint_name: "{name}",
};

/** The naming convention in multibind's placeholders. */
function conventionOf(convention: JsonObject): NamingConvention {
  return Object.fromEntries(
    Object.entries(convention).map(([kind, template]) => [
      kind,
      String(template).replace(/%\((\w+)\)s/g, (_, name: string) => {
        const placeholder = PLACEHOLDERS[name];
        if (placeholder === undefined)
          throw new FormatError(`the naming convention has ${name}, which this runner does not know`);
        return placeholder;
      }),
    ]),
  );
}
