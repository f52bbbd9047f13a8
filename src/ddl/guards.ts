import { bindLabel } from "../bind-key.ts";
import type { Engine } from "../engine/engine.ts";
import { UnsupportedError } from "../errors/configuration.ts";
import type { DdlOperation } from "../errors/ddl.ts";
import { SchemaError } from "../errors/schema.ts";
import type { BindTarget } from "./bind-target.ts";

/**
 * Refuses to change a database whose tables others own.
 *
 * @throws {SchemaError} if a target's engine has the option `managed: false`
 */
export function requireManaged(operation: DdlOperation, targets: readonly BindTarget[]): void {
  for (const { engine } of targets) {
    if (engine.options.managed) continue;
    throw new SchemaError(
      `${operation} leaves ${bindLabel(engine.bindKey)} alone: its tables are not managed here (managed: false).`,
      {
        bindKey: engine.bindKey,
      },
    );
  }
}

/**
 * Refuses to change a database that is only read.
 *
 * @throws {UnsupportedError} if the engine has the option `readOnly: true`
 */
export function requireWritable(operation: DdlOperation, { bindKey, options }: Engine): void {
  if (!options.readOnly) return;
  throw new UnsupportedError(
    `${operation} changes the database, and ${bindLabel(bindKey)} is read-only (readOnly: true).`,
    { bindKey },
  );
}
