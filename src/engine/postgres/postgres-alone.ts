import { transactionEffect } from "../transaction-text.ts";
import type { Pooling } from "./postgres-pooling.ts";
import type { PostgresSettings } from "./postgres-settings.ts";
import { type PgOutcome, type PostgresSender, resultAt } from "./postgres-statement.ts";
import { postgresTransactionText } from "./postgres-transaction-text.ts";

/** Text that returns rows, or may: all that is read depends on the settings. */
const GIVES_ROWS = /^(?:[\s(]|--[^\n]*\n|\/\*[\s\S]*?\*\/)*(?:select|with|values|table|insert|update|delete|merge)\b/i;
/** One statement that ends a transaction, also a prepared one, which cannot be done within another. */
const ENDS = /^\s*(?:commit|rollback|end|abort)\b[^;]*;?\s*$/i;

/**
 * Sends the statements of a connection that keeps no settings, as long as no transaction is open: each together with the
 * settings.
 */
export class StatementsAlone {
  readonly #sender: PostgresSender;
  readonly #settings: PostgresSettings;
  readonly #pooling: Pooling;
  readonly #giveUp: () => void;

  /** @param giveUp destroys the connection */
  constructor(sender: PostgresSender, settings: PostgresSettings, pooling: Pooling, giveUp: () => void) {
    this.#sender = sender;
    this.#settings = settings;
    this.#pooling = pooling;
    this.#giveUp = giveUp;
  }

  /**
   * Sends a statement.
   *
   * @throws {UnsupportedError} if it begins or ends a transaction among others, which would lack the engine's options
   */
  async send(text: string, values: unknown[], name?: string): Promise<PgOutcome> {
    const sender = this.#sender;
    const { needTransaction, local } = this.#settings;
    if (ENDS.test(text)) return sender.send(text, values);
    if (needTransaction) return this.#sendInTransaction(text, values, name);
    if (!GIVES_ROWS.test(text)) return sender.send(text, values);
    if (values.length === 0 && name === undefined) return sender.send(`${local}; ${text}`, values);
    if (!sender.sendsTogether) return this.#sendInTransaction(text, values, name);
    return resultAt(await sender.send(text, values, name, { before: [local], after: [] }), 1);
  }

  async #sendInTransaction(text: string, values: unknown[], name: string | undefined): Promise<PgOutcome> {
    if (transactionEffect(text, postgresTransactionText) !== "none") throw this.#pooling.textRefusal();
    const sender = this.#sender;
    const before = this.#settings.beginAlone();
    try {
      if (sender.sendsTogether) {
        return resultAt(await sender.send(text, values, name, { before, after: ["commit"] }), before.length);
      }
      await sender.send(before.join("; "), []);
      const outcome = await sender.send(text, values, name);
      await sender.send("commit", []);
      return outcome;
    } catch (error) {
      await sender.send("rollback", []).catch(this.#giveUp);
      throw error;
    }
  }
}
