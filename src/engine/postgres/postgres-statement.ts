import type { AnsweredResult, EngineQuery } from "../driver.ts";
import { InexactJson } from "../values/codec.ts";
import { type Surrounding, surround } from "./postgres-batch.ts";
import type { PgClient, PgOwnQuery, PgQueryClass, PgResult } from "./postgres-module.ts";
import { requireExactJson } from "./postgres-wire-types.ts";

const COUNTED = new Set(["INSERT", "UPDATE", "DELETE", "MERGE"]);

/** One result, or those of several statements. */
export type PgOutcome = PgResult | readonly PgResult[];

/** Sends statements on a connection, one or several at once. */
export class PostgresSender {
  readonly #client: PgClient;
  readonly #Query: PgQueryClass | undefined;
  /** The queries that wait for the one that runs: the driver will not queue them from version 9 on, and warns before. */
  readonly #waiting: PgOwnQuery[] = [];
  #isSending = false;
  #isOver = false;

  constructor(client: PgClient, Query: PgQueryClass | undefined) {
    this.#client = client;
    this.#Query = Query;
    client.on("drain", () => this.#next());
    const over = () => {
      this.#isOver = true;
      // The driver says of each that the connection is lost.
      for (const query of this.#waiting.splice(0)) client.query(query);
    };
    client.on("error", over);
    client.on("end", over);
  }

  /** Sends a query when the ones before it have ended, or at once where the driver sends without waiting. */
  submit(query: PgOwnQuery): void {
    if (this.#isSending && !this.#isOver && this.#client.pipeline !== true) {
      this.#waiting.push(query);
      return;
    }
    this.#isSending = true;
    this.#client.query(query);
  }

  #next(): void {
    const query = this.#waiting.shift();
    if (query === undefined) this.#isSending = false;
    else this.#client.query(query);
  }

  /**
   * Sends a statement.
   *
   * @param name the name under which it is prepared
   * @param surrounding what is sent with it; only where {@link sendsTogether}
   */
  send(text: string, values: unknown[], name?: string, surrounding?: Surrounding): Promise<PgOutcome> {
    const Query = this.#Query;
    if (Query === undefined) return this.#client.query(name === undefined ? { text, values } : { name, text, values });
    // Given as an object, the statement would be copied with all its descriptors, which takes longer than to make it.
    return new Promise((resolve, reject) => {
      const query = new Query(text, values, (error, result) => {
        if (error) reject(error);
        else resolve(result);
      });
      if (name !== undefined) query.name = name;
      if (surrounding !== undefined) surround(query, surrounding);
      this.submit(query);
    });
  }

  /** Whether the driver can send several statements without waiting in between. */
  get sendsTogether(): boolean {
    return this.#Query !== undefined && this.#client.connection?.parse !== undefined;
  }
}

/** The result of one statement of several. */
export function resultAt(outcome: PgOutcome, index: number): PgResult {
  // Several statements have several results.
  return (outcome as readonly PgResult[])[index]!;
}

/** The result of a statement: of several in one text, that of the last one. */
export function answered<R>(outcome: PgOutcome, { plainNumbers }: EngineQuery): AnsweredResult<R> {
  const { command, rowCount, rows } = Array.isArray(outcome) ? (outcome as PgResult[]).at(-1)! : (outcome as PgResult);
  // The caller knows what shape its statement gives.
  const typed = rows as R[];
  if (InexactJson.wasMet && plainNumbers !== true) requireExactJson(rows);
  return COUNTED.has(command) ? { rows: typed, numAffectedRows: BigInt(rowCount ?? 0) } : { rows: typed, command };
}
