import type { TransactionSettings } from "kysely";
import type { ResolvedEngineOptions } from "../options/resolved-options.ts";

type Setting = readonly [name: string, value: string];

/** The settings that decide how values are written as text, which is how they are sent and read. */
const FORMATS: readonly Setting[] = [
  // The day of an instant, `current_date` and `now()` in a column without time zone.
  ["TimeZone", "UTC"],
  ["DateStyle", "ISO"],
  ["IntervalStyle", "postgres"],
  ["extra_float_digits", "1"],
  ["array_nulls", "on"],
];

/**
 * The settings of an engine, and the two ways to apply them: once per connection, or, where other clients share the
 * server's connection, in each transaction.
 */
export class PostgresSettings {
  readonly #options: ResolvedEngineOptions;
  readonly #settings: readonly Setting[];
  /** Applies the settings until the transaction ends, and gives no row. */
  readonly local: string;

  constructor(options: ResolvedEngineOptions) {
    this.#options = options;
    const { statementTimeout } = options;
    // 0 would mean that there is no limit.
    const limit = statementTimeout === undefined ? undefined : String(Math.max(1, Math.round(statementTimeout)));
    this.#settings = limit === undefined ? FORMATS : [...FORMATS, ["statement_timeout", limit]];
    const applied = this.#settings.map(([name, value]) => `set_config('${name}', '${value}', true) is null`);
    this.local = `select 1 where ${applied.join(" or ")}`;
  }

  /** Whether a statement without a transaction needs one to run as the options say. */
  get needTransaction(): boolean {
    const { isolationLevel, readOnly, statementTimeout } = this.#options;
    return isolationLevel !== undefined || readOnly || statementTimeout !== undefined;
  }

  /**
   * Applies the settings to a connection, if its server process is the expected one, and gives a row for each. Gives no row
   * where a pooler is between: its clients know their own numbers only.
   *
   * @param processId the process that the server named at the login
   */
  session(processId: number): string {
    const { isolationLevel, readOnly } = this.#options;
    const settings: Setting[] = [...this.#settings];
    if (isolationLevel !== undefined) settings.push(["default_transaction_isolation", isolationLevel]);
    if (readOnly) settings.push(["default_transaction_read_only", "on"]);
    const rows = settings.map(([name, value]) => `('${name}', '${value}')`);
    return `select set_config(name, value, false) from (values ${rows.join(", ")}) as setting (name, value) where pg_backend_pid() = ${processId}`;
  }

  /**
   * The statements that begin a transaction on a connection that has the settings. The characteristics have a statement of
   * their own: Pgpool-II drops those of a `begin` that it sends to a standby, or to a server that it takes for one.
   */
  begin({ isolationLevel, accessMode }: TransactionSettings): readonly string[] {
    const isolation = isolationLevel === undefined ? undefined : `isolation level ${isolationLevel}`;
    const characteristics = [isolation, accessMode].filter((one) => one !== undefined);
    return characteristics.length === 0 ? ["begin"] : ["begin", `set transaction ${characteristics.join(", ")}`];
  }

  /** The statements that begin a transaction on a connection that keeps no settings. */
  beginAlone(settings: TransactionSettings = {}): readonly string[] {
    const { isolationLevel = this.#options.isolationLevel, accessMode = this.#accessMode } = settings;
    const begin = this.begin({ ...(isolationLevel && { isolationLevel }), ...(accessMode && { accessMode }) });
    return [...begin, this.local];
  }

  get #accessMode(): TransactionSettings["accessMode"] {
    return this.#options.readOnly ? "read only" : undefined;
  }
}
