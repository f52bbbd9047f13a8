import { type CompiledQuery, createQueryId, type Kysely, type QueryResult, type RootOperationNode } from "kysely";
import type { AnyModel, BindKey } from "../../../src/index.ts";
import { asObject, asText, FormatError, isObject, type Json, type JsonObject } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import { pick, without } from "../read/objects.ts";
import type { Built, EntitySelect } from "../statements/statement.ts";
import { bindArguments } from "./bind-arguments.ts";
import type { StepHandlers } from "./step.ts";
import type { World } from "./world.ts";

type Row = Readonly<Record<string, unknown>>;

/** The rows of a model that a condition chooses. */
interface BulkSelect {
  where(equal: JsonObject): BulkSelect;
  update(values: JsonObject): Promise<number>;
}

/** Steps that run statements, and that ask where they would run. */
export const querySteps: StepHandlers = {
  execute: async (step, world) => {
    const built = world.statement(step.json("stmt")!, step.json("params"));
    const { given, bindKey } = bindArguments(step, world);
    return fetched(await run(built, world, given ? bindKey : undefined), step.optionalText("fetch"));
  },
  core_execute: async (step, world) => {
    const { statement } = world.statement(step.json("stmt")!);
    const { kysely } = world.chosen.unseen(() => world.application.engines.get(keyOf(step.text("engine"))));
    const result = await kysely.executeQuery<Row>(compiled(kysely, statement));
    return result.rows.map((row) => Object.values(row) as Json[]);
  },
  query: async (step, world) => {
    const model = world.schema.model(step.text("model"));
    const method = step.text("method");
    // The two ways to begin the original's query objects are one here.
    step.ignore("via");
    let select = world.session.select(model) as unknown as EntitySelect & { where(equal: object): EntitySelect };
    if (step.has("filter_by")) select = select.where(step.object("filter_by")) as typeof select;
    const key = step.list("args")[0];
    switch (method) {
      case "all":
        return (await select.all()).map((entity) => world.objects.result(entity));
      case "first":
        return world.objects.result(await select.first());
      case "one":
        return world.objects.result(await select.one());
      case "one_or_none":
        return world.objects.result(await select.oneOrNull());
      case "count":
        return select.count();
      case "get_or_404":
        return world.objects.result(await world.session.getOr404(model, key as never));
      case "first_or_404":
        return world.objects.result(await select.firstOr404());
      case "one_or_404":
        return world.objects.result(await select.oneOr404());
      case "get":
        return world.objects.result(await world.session.get(model, key as never));
      default:
        throw new FormatError(`the query's method ${method} is not known`);
    }
  },
  // Nothing is chosen where the engine itself is named.
  connection: async (step, world) => {
    const { session, chosen, recorder } = world;
    const { isEngine, bindKey, target } = bindArguments(step, world);
    const key = isEngine ? bindKey! : session.getBind(target).bindKey;
    const kysely = chosen.unseen(() => session.kysely(key));
    const probe = () => kysely.selectNoFrom((values) => values.lit(1).as("one")).execute();
    const [bind = null, ...others] = await chosen.unseenWork(() => recorder.reachedBy(probe));
    return others.length === 0 ? { bind } : { binds: [bind, ...others] };
  },
  bulk_insert_mappings: async (step, { session, schema }) => {
    const model = schema.model(step.text("model"));
    await session
      .insertInto(model)
      .values(step.list("mappings") as never)
      .execute();
    return null;
  },
  // Each row is found by its key, and the rest of it is what changes.
  bulk_update_mappings: async (step, { session, schema }) => {
    const model = schema.model(step.text("model"));
    const keys = model.table.primaryKey.map(({ property }) => property);
    const select = () => session.select(model) as unknown as BulkSelect;
    for (const mapping of step.list("mappings")) {
      const values = asObject(mapping, "a mapping");
      await select().where(pick(values, keys)).update(without(values, keys));
    }
    return null;
  },
  bulk_save_objects: async (step, { session, objects }) => {
    session.addAll(step.texts("objs").map((label) => objects.get(label)));
    await session.flush();
    return null;
  },
  get_bind: (step, world) => {
    const mapper = step.optionalText("mapper") ?? step.optionalText("instance");
    const isInstance = step.has("instance");
    const clause = step.json("clause");
    const target = {
      ...(mapper === undefined
        ? {}
        : { model: (isInstance ? world.objects.get(mapper) : mapperNamed(mapper, world)) as AnyModel }),
      ...(clause === undefined
        ? {}
        : isObject(clause)
          ? { statement: world.statement(clause).statement }
          : { table: world.schema.table(asText(clause, "a clause").slice(1)) }),
    };
    try {
      return { bind: labelOf(world.session.getBind(target).bindKey) };
    } catch (error) {
      world.chosen.noteError(error);
      throw error;
    }
  },
};

/** What a case names as a class: a model, a class that is none, or something else. */
function mapperNamed(name: string, { schema }: World): unknown {
  return schema.findModel(name) ?? (name === "object" ? Object : name);
}

async function run(built: Built, world: World, bindKey: BindKey | undefined): Promise<Json> {
  const { session } = world;
  const options = bindKey === undefined ? {} : { bindKey };
  if (built.kind === "entities") {
    // A select of entities takes no bind key; whoever names one asks whether it fits first.
    if (bindKey !== undefined) session.getBind({ statement: built.statement, bindKey });
    return (await built.statement.all()).map((entity) => [world.objects.result(entity)]);
  }
  if (built.kind === "write" && built.bulk !== undefined) {
    if (bindKey !== undefined) session.getBind({ statement: built.statement, bindKey });
    return { rowcount: await built.bulk() };
  }
  const result = (await session.execute(built.statement, options)) as QueryResult<Row>;
  if (built.kind === "write") return { rowcount: Number(result.numAffectedRows) };
  if (built.kind === "text") return textResult(result);
  return result.rows.map((row) =>
    built.outputs.map((name) => (built.counts.has(name) ? Number(row[name]) : row[name]) as Json),
  );
}

function textResult({ rows, numAffectedRows }: QueryResult<Row>): Json {
  return numAffectedRows === undefined || rows.length > 0
    ? rows.map((row) => Object.values(row) as Json[])
    : { rowcount: Number(numAffectedRows) };
}

/** What is taken of a result: all rows, their first column, or the first of that. */
function fetched(result: Json, fetch: string | undefined): Json {
  if (fetch === undefined) return result;
  if (!Array.isArray(result)) throw new FormatError(`nothing to fetch as ${fetch}`);
  const column = (result as readonly (readonly Json[])[]).map(([first = null]) => first);
  if (fetch === "scalars") return column;
  if (fetch === "scalar") return column[0] ?? null;
  throw new FormatError(`the result is fetched as ${fetch}, which this runner does not know`);
}

function compiled(kysely: Kysely<Record<never, never>>, statement: Built["statement"]): CompiledQuery<Row> {
  // Whatever a case executes is a whole statement.
  return kysely.getExecutor().compileQuery<Row>(statement.toOperationNode() as RootOperationNode, createQueryId());
}
