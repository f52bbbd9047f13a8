import type { LogicalType, TypeKind } from "../../schema/logical-type.ts";
import type { EngineQuery, ServerLacks } from "../driver.ts";

/** Runs the statements by which a family finds out about a dialect. */
export interface DialectProbe {
  /** The name of the dialect's class. */
  readonly name: string;
  /** Whether the bind is read-only. */
  readonly readOnly: boolean;
  rows(sql: string, parameters?: readonly unknown[]): Promise<readonly Record<string, unknown>[]>;
  /** Runs a statement that writes, and returns how many rows the dialect says that it wrote. */
  affected(sql: string): Promise<bigint | undefined>;
  /** Runs something in a transaction that is rolled back. */
  within<T>(run: () => Promise<T>): Promise<T>;
}

/** Something that a dialect does with values that no codec can undo. */
export interface DialectProblem {
  /** The types of the columns that it concerns; absent where it concerns every table. */
  readonly kinds?: readonly TypeKind[];
  /** Whether it concerns only tables with foreign keys. */
  readonly foreignKeys?: true;
  /** The fault, as the end of a sentence that begins with the name of the dialect. */
  readonly what: string;
  /** The setting that avoids it, as an imperative sentence without its full stop. */
  readonly remedy: string;
}

/** How a dialect reads and writes values, as it was found at its first connection. */
export interface DialectFindings {
  /** Whether it gives JSON as text, or parsed. */
  readonly json: "text" | "parsed";
  /** Whether it gives dates as text, or as a `Date` at midnight in the zone of the process or in UTC. */
  readonly dates: "text" | "local" | "utc";
  /** Whether it gives integers that a number does not hold exactly; if not, the setting that avoids it. */
  readonly integers: "exact" | { readonly remedy: string };
  /** Whether text comes without a byte order mark at its beginning. */
  readonly cutsMark: boolean;
  readonly problems: readonly DialectProblem[];
  /** Whether the server was found to give back no rows of what it writes, although its family can. */
  readonly lacksReturning?: boolean;
  readonly lacks?: ServerLacks | undefined;
}

/** The ways of a family with Kysely dialects. */
export interface FamilyDialects {
  probe(probe: DialectProbe): Promise<DialectFindings>;
  /** Whether integers in rows become numbers where these hold them exactly, as with the family's own driver. */
  readonly plainIntegers?: true;
  /** Makes a parameter of JSON text, where drivers would take text for a value of JSON; absent where they do not. */
  jsonParameter?(text: string, type: LogicalType): unknown;
  /** A statement with such parameters as any driver sends it rightly. */
  prepare?<R>(query: EngineQuery<R>): EngineQuery<R>;
}
