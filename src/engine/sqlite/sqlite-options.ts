import { InvalidOptionError } from "../../errors/configuration.ts";
import { requireNodeApi } from "../../node-version.ts";
import { requirePrepared } from "../options/always-prepared.ts";
import type { ResolvedEngineOptions } from "../options/resolved-options.ts";

/** @throws {InvalidOptionError} on an option that means nothing for SQLite */
export function checkSqliteOptions(options: ResolvedEngineOptions, where: string): void {
  requirePrepared(options.preparedStatements, where, "there is no server between");
  if (options.dialect === undefined && options.driver === undefined) requireNodeApi(where);
  const refuse = (isRefused: boolean, message: string) => {
    if (isRefused) throw new InvalidOptionError(message);
  };
  refuse(options.password !== undefined, `SQLite asks for no password: leave password of ${where} out.`);
  refuse(
    options.statementTimeout !== undefined,
    `SQLite cannot end a running statement: leave statementTimeout of ${where} out.`,
  );
  refuse(options.networkTimeout !== undefined, `SQLite has no network: leave networkTimeout of ${where} out.`);
  refuse(
    options.isolationLevel !== undefined && options.isolationLevel !== "serializable",
    `SQLite's transactions are always serializable: leave isolationLevel of ${where} out.`,
  );
}
