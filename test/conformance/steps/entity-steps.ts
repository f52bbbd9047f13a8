import type { AnyModel, Entity } from "../../../src/index.ts";
import { FormatError, isList, isObject, type Json, type JsonObject } from "../read/json.ts";
import { bindArguments } from "./bind-arguments.ts";
import type { StepHandlers } from "./step.ts";
import type { World } from "./world.ts";

type Values = Record<string, unknown>;

/** Steps with objects of models: making, adding, getting, changing and expunging them. */
export const entitySteps: StepHandlers = {
  new: (step, world) => {
    const values = resolved(step.object("values"), world);
    const entity = make(world.schema.model(step.text("model")), values);
    world.objects.labelOf(entity, step.text("as"));
    return null;
  },
  add: (step, { session, objects }) => {
    session.add(objects.get(step.text("obj")));
    return null;
  },
  add_all: (step, { session, objects }) => {
    session.addAll(step.texts("objs").map((label) => objects.get(label)));
    return null;
  },
  delete: (step, { session, objects }) => {
    session.delete(objects.get(step.text("obj")));
    return null;
  },
  expunge: (step, { session, objects }) => {
    session.expunge(objects.get(step.text("obj")));
    return null;
  },
  expunge_all: (_, { session }) => {
    session.expungeAll();
    return null;
  },
  get: async (step, world) => {
    const model = world.schema.model(step.text("model"));
    const label = step.optionalText("as");
    const key = keyOf(step.json("id")!, model);
    const bind = bindArguments(step, world);
    // A model has one bind, so `get` takes none; whoever names one asks where the model is first.
    if (bind.given) world.session.getBind({ model, bindKey: bind.bindKey });
    return world.objects.result(await world.session.get(model, key as never), label);
  },
  get_one: async (step, world) => {
    const model = world.schema.model(step.text("model"));
    const label = step.optionalText("as");
    return world.objects.result(await world.session.getOne(model, keyOf(step.json("id")!, model) as never), label);
  },
  merge: async (step, world) => {
    const given = step.optionalText("obj");
    const made = () => make(world.schema.model(step.text("model")), resolved(step.object("values"), world));
    const entity = given === undefined ? made() : world.objects.get(given);
    const merged = await world.session.merge(entity);
    return merged === entity ? { same_object: true } : world.objects.result(merged, step.optionalText("as"));
  },
  refresh: async (step, { session, objects }) => {
    await session.refresh(objects.get(step.text("obj")));
    return null;
  },
  set: (step, world) => {
    const entity = world.objects.get(step.text("obj")) as unknown as Values;
    entity[step.text("name")] = resolvedValue(step.json("value")!, world);
    return null;
  },
  attr: (step, world) => {
    const entity = world.objects.get(step.text("obj")) as unknown as Values;
    const name = step.text("name");
    if (!Object.hasOwn(entity, name)) throw new FormatError(`the object has no attribute ${name}`);
    // A value that was never given is null in the original.
    return (entity[name] ?? null) as Json;
  },
  same: (step, { objects }) => objects.get(step.text("a")) === objects.get(step.text("b")),
};

function make(model: AnyModel, values: Values): Entity {
  return new (model as unknown as new (given: Values) => Entity)(values);
}

/** A key as `get` takes it: the value, or for a composite key an object with each part. */
export function keyOf(id: Json, { table }: AnyModel): unknown {
  if (!isList(id) || table.primaryKey.length !== id.length || id.length < 2) return id;
  return Object.fromEntries(table.primaryKey.map(({ property }, part) => [property, id[part]]));
}

function resolved(values: JsonObject, world: World): Values {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, resolvedValue(value, world)]));
}

function resolvedValue(value: Json, { objects }: World): unknown {
  return isObject(value) && typeof value["obj"] === "string" ? objects.get(value["obj"]) : value;
}
