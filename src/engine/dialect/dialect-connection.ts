import { type CompiledQuery, type DatabaseConnection, type QueryResult, SelectQueryNode } from "kysely";
import type { BindKey } from "../../bind-key.ts";
import { type EngineQuery, withParameters } from "../driver.ts";
import type { FamilyDialects } from "./dialect-findings.ts";
import { unsupportedBy } from "./unsupported-by.ts";

/** Of whom a connection is, for messages. */
export interface DialectOwner {
  readonly bindKey: BindKey;
  /** The name of the dialect's class. */
  readonly name: string;
  readonly family: FamilyDialects;
  /** Lends another connection for a statement that ends one of this. */
  lend(use: (connection: DatabaseConnection) => Promise<void>): Promise<void>;
}

/** SQL text that gives rows and writes nothing, as far as its words tell. */
const READS = /^[\s(]*(?:select|values|pragma|explain|show|describe|with)\b/i;
const WRITES = /\b(?:insert|update|delete|replace|merge)\b/i;
const WRITING_KINDS: ReadonlySet<string> = new Set([
  "InsertQueryNode",
  "UpdateQueryNode",
  "DeleteQueryNode",
  "MergeQueryNode",
]);
const WRITING_TEXT = /^\s*(?:insert|update|delete|replace|merge)\b/i;

const SELECT = SelectQueryNode.create();

/**
 * A connection of a dialect, made alike: text that reads is sent as a select, by which some dialects tell that a statement
 * gives rows; a count that is left out is that of the rows; bytes and integers have one form.
 */
export class DialectConnection implements DatabaseConnection {
  /** The connection as the dialect made it. */
  readonly raw: DatabaseConnection;
  readonly #owner: DialectOwner;
  #running = 0;
  #isKnown = false;
  /** Ends the statement that runs; absent where the dialect cannot. */
  readonly cancel?: () => Promise<void>;
  /** Kysely's name for ending the connection; absent where the dialect cannot. */
  readonly killSession?: NonNullable<DatabaseConnection["killSession"]>;

  constructor(raw: DatabaseConnection, owner: DialectOwner) {
    this.raw = raw;
    this.#owner = owner;
    const { lend } = owner;
    if (raw.cancelQuery !== undefined) this.cancel = () => raw.cancelQuery!(lend);
    if (raw.killSession !== undefined) this.killSession = (provider) => raw.killSession!(provider);
  }

  /** Whether a statement runs on it. */
  get isBusy(): boolean {
    return this.#running > 0;
  }

  async executeQuery<R>(query: EngineQuery): Promise<QueryResult<R>> {
    if (!this.#isKnown) {
      // What ends a statement needs it before the statement runs.
      await this.raw.collectSessionInfo?.();
      this.#isKnown = true;
    }
    this.#running++;
    try {
      return this.#alike(await this.raw.executeQuery<R>(this.#sent(query)), query);
    } finally {
      this.#running--;
    }
  }

  async *streamQuery<R>(query: CompiledQuery, chunkSize: number): AsyncIterableIterator<QueryResult<R>> {
    const { bindKey, name } = this.#owner;
    let isFirst = true;
    this.#running++;
    try {
      for await (const result of this.raw.streamQuery<R>(this.#sent(query), chunkSize)) {
        isFirst = false;
        yield this.#alike(result, query);
      }
    } catch (error) {
      throw isFirst ? unsupportedBy(error, /stream|cursor/i, `${name} cannot stream rows`, bindKey) : error;
    } finally {
      this.#running--;
    }
  }

  #sent<R>(query: EngineQuery<R>): EngineQuery<R> {
    const prepared = this.#owner.family.prepare?.(query) ?? query;
    if (prepared.query.kind !== "RawNode" || !READS.test(prepared.sql) || WRITES.test(prepared.sql)) return prepared;
    return { ...withParameters(prepared, prepared.parameters), query: SELECT };
  }

  #alike<R>(result: QueryResult<R>, { query, sql }: CompiledQuery): QueryResult<R> {
    const { rows = [], numAffectedRows } = result;
    const { plainIntegers = false } = this.#owner.family;
    for (const row of rows) makeAlike(row as Record<string, unknown>, plainIntegers);
    const isWrite = WRITING_KINDS.has(query.kind) || (query.kind === "RawNode" && WRITING_TEXT.test(sql));
    if (!isWrite || numAffectedRows !== undefined) return result.rows === undefined ? { ...result, rows } : result;
    return { ...result, rows, numAffectedRows: BigInt(rows.length) };
  }
}

/** Makes bytes a `Uint8Array`, and integers numbers where these hold them exactly and that is wanted. */
function makeAlike(row: Record<string, unknown>, plainIntegers: boolean): void {
  for (const name in row) {
    const value = row[name];
    if (value instanceof ArrayBuffer) row[name] = new Uint8Array(value);
    else if (plainIntegers && typeof value === "bigint" && Number.isSafeInteger(Number(value)))
      row[name] = Number(value);
  }
}
