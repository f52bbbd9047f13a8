import { DummyDriver, Kysely, type QueryExecutor } from "kysely";
import type { Engine } from "../engine/engine.ts";
import { type ModelKysely, modelsAsTables } from "../model/models-as-tables.ts";

/** A whole Kysely whose statements a session's executor runs. Connections and transactions are the session's business. */
export function sessionKysely<DB>(engine: Engine, executor: QueryExecutor): ModelKysely<DB> {
  const { dialect } = engine;
  // The view adds what the type adds.
  return modelsAsTables(
    new Kysely<DB>({ config: { dialect }, dialect, driver: new DummyDriver(), executor }),
  ) as ModelKysely<DB>;
}
