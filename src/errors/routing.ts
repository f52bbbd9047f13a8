import { BIND_KEY_HINT, type BindKey, bindLabel, isBindName, notABindKey, quotedBindKey } from "../bind-key.ts";
import { nearestName } from "../nearest-name.ts";
import { MultibindError } from "./multibind-error.ts";
import { nameList } from "./name-list.ts";

/** No engine is configured for what a statement needs. */
export class UnboundExecutionError extends MultibindError {
  readonly code = "UNBOUND_EXECUTION";
}

/** A bind key that no engine has. */
export interface UnboundKey {
  readonly bindKey: BindKey;
  /** The names of the tables that have the key. */
  readonly tables: readonly string[];
}

/**
 * Says which bind keys have no engine, which tables have these keys, and which keys are configured: the one message for
 * this mistake, wherever it is found.
 *
 * @param missing at least one
 */
export function unboundMessage(missing: readonly UnboundKey[], configured: readonly BindKey[]): string {
  const names = configured.filter((key) => key !== null);
  const keys = configured.map((key) => (key === null ? "the default bind" : quotedBindKey(key, "'")));
  return `${missing.map((one) => sentencesFor(one, names)).join(" ")} Configured: ${nameList(keys) || "none"}.`;
}

function sentencesFor({ bindKey, tables }: UnboundKey, names: readonly string[]): string {
  const labels = nameList(tables.map((table) => `"${table}"`));
  if (bindKey === null) {
    const which = labels === "" ? "" : ` Tables without a bind key: ${labels}.`;
    return `There is no default engine: 'databaseUrl' is not configured.${which} Configure it, or give the model, table or statement a bind key.`;
  }
  const refusal = typeof bindKey === "string" ? undefined : notABindKey(bindKey);
  if (refusal !== undefined) return `Expected ${refusal}`;
  const sentences = [`Bind key ${quotedBindKey(bindKey, "'")} is not in 'binds' config.`];
  if (!isBindName(bindKey)) sentences.push(BIND_KEY_HINT);
  if (labels !== "") sentences.push(`Its tables: ${labels}.`);
  const meant = nearestName(bindKey, names);
  if (meant !== undefined) sentences.push(`Did you mean ${quotedBindKey(meant, "'")}?`);
  return sentences.join(" ");
}

/** A table as a {@link CrossBindError} names it. */
export interface BoundTableName {
  /** The table's name. */
  readonly table: string;
  /** The bind that it belongs to; `null` is the default one. */
  readonly bindKey: BindKey;
}

/**
 * One statement names tables of two binds, or tables of one bind and another bind key beside them. No database can run
 * it, so it is not sent.
 */
export class CrossBindError extends MultibindError {
  readonly code = "CROSS_BIND";
  /** The tables that the statement names, each with its bind, in order of appearance. */
  readonly tables: readonly BoundTableName[];

  /** @param explicit the bind key that was given beside the tables, if that is what does not fit */
  constructor(tables: readonly BoundTableName[], explicit?: BindKey) {
    const named = tables.map(({ table, bindKey }) => `"${table}" (${bindLabel(bindKey)})`).join(", ");
    super(
      explicit === undefined
        ? `One statement names tables of different binds: ${named}. Nothing was sent. A statement runs on one database: ` +
            'query each bind on its own and combine the results, for example with `where(column, "in", keys)`.'
        : `Cannot run the statement on ${bindLabel(explicit)}: it names ${named}. Nothing was sent. ` +
            "Leave the bind key out: the tables tell where to run.",
      explicit === undefined ? {} : { bindKey: explicit },
    );
    this.tables = tables;
  }
}

/**
 * A model or table is used with a session, an engine or tables of another `Multibind` object than the one that it was
 * defined with. The same bind key means another database there, so nothing is sent.
 */
export class OtherMultibindError extends MultibindError {
  readonly code = "OTHER_MULTIBIND";
  /** The table that does not belong here. */
  readonly table: string;

  /**
   * @param owner the name of the `Multibind` object that the table was defined with
   * @param used the name of the one that it was used with
   */
  constructor(table: string, bindKey: BindKey, owner: string, used: string) {
    super(
      `Cannot use table "${table}" (${bindLabel(bindKey)}) here: it was defined with ${owner}, and this belongs to ${used}. ` +
        `Use the session or engine of an application of ${owner}, or define the table with ${used}.`,
      { bindKey },
    );
    this.table = table;
  }
}

/** A table is named only by a string which tables of several binds bear. */
export class AmbiguousTableError extends MultibindError {
  readonly code = "AMBIGUOUS_TABLE";
}
