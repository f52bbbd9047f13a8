import type { BindKey } from "../../bind-key.ts";

/** A statement as `echo` and the engine's listeners see it. */
export interface StatementEvent {
  /** The bind whose engine runs it; `null` is the default one. */
  readonly bindKey: BindKey;
  /** The SQL as it is sent; `begin`, `commit` and their like for the ends of transactions. */
  readonly sql: string;
  /** The parameters as the driver gets them; of a statement that is run for many rows, a list of them for each. */
  readonly parameters: readonly unknown[];
}

/** What became of a statement. */
export interface FinishedStatementEvent extends StatementEvent {
  /** How long it took, in milliseconds. */
  readonly duration: number;
  /** The error, if the statement failed. */
  readonly error?: unknown;
}

/** Receives every statement of an engine just before it is sent. What it throws, the statement throws. */
export type StatementListener = (event: StatementEvent) => void;

/** Receives every statement of an engine when it is done. */
export type EchoListener = (event: FinishedStatementEvent) => void;

/** Writes a statement to the console, as `echo: true` does. */
export function echoToConsole({ bindKey, sql, parameters, duration, error }: FinishedStatementEvent): void {
  const values = parameters.length === 0 ? "" : ` ${JSON.stringify(parameters, shortened)}`;
  const outcome = error === undefined ? "" : " failed";
  console.log(`[${bindKey ?? "default"}] ${sql}${values} (${duration.toFixed(1)} ms${outcome})`);
}

function shortened(_: string, value: unknown): unknown {
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  return typeof value === "string" && value.length > 200 ? `${value.slice(0, 200)}…` : value;
}
