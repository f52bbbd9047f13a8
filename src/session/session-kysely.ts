import { DummyDriver, Kysely, type QueryExecutor } from "kysely";
import type { Engine } from "../engine/engine.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import { type ModelKysely, modelsAsTables } from "../model/models-as-tables.ts";

/** A whole Kysely whose statements a session's executor runs. Connections and transactions are the session's business. */
export function sessionKysely<DB>(engine: Engine, executor: QueryExecutor): ModelKysely<DB> {
  const { dialect } = engine;
  // The view adds what the type adds.
  return modelsAsTables(
    new Kysely<DB>({ config: { dialect }, dialect, driver: new SessionDriver(), executor }),
  ) as ModelKysely<DB>;
}

/** The driver of a Kysely whose connections are the session's business. */
class SessionDriver extends DummyDriver {
  override destroy(): never {
    throw new UnsupportedError(
      "Cannot destroy a session's Kysely: its connections belong to the application. Use `session.close()`, and `app.dispose()` at the end.",
    );
  }
}
