import type { Dialect, IsolationLevel, LogConfig } from "kysely";
import type { EchoListener } from "../recording/echo.ts";
import type { DatabaseUrl, FamilyName } from "./database-url.ts";

/** The isolation levels of the databases known here. */
export type EngineIsolationLevel = Exclude<IsolationLevel, "snapshot">;

/** Gives the password for each new connection, such as a token that expires. */
export type PasswordSource = () => string | Promise<string>;

/** The options of an engine with every default filled in and every time in milliseconds. */
export interface ResolvedEngineOptions {
  readonly url: DatabaseUrl | undefined;
  readonly dialect: Dialect | (() => Dialect | Promise<Dialect>) | undefined;
  readonly family: FamilyName;
  readonly driver: unknown;
  readonly poolSize: number;
  readonly poolTimeout: number;
  readonly poolRecycle: number | undefined;
  readonly poolPrePing: boolean;
  readonly echo: boolean | EchoListener;
  readonly log: LogConfig | undefined;
  readonly isolationLevel: EngineIsolationLevel | undefined;
  readonly statementTimeout: number | undefined;
  readonly lockTimeout: number | undefined;
  readonly preparedStatements: boolean | undefined;
  readonly networkTimeout: number | undefined;
  readonly showValues: boolean;
  readonly readOnly: boolean;
  readonly managed: boolean;
  readonly required: boolean;
  readonly password: PasswordSource | undefined;
  readonly driverOptions: Readonly<Record<string, unknown>>;
}
