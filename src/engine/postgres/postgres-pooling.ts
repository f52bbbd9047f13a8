import { type BindKey, bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";

/** An engine's knowledge of a pooler between it and its server. */
export class Pooling {
  readonly bindKey: BindKey;
  readonly #isChosen: boolean;
  #isBetween: boolean;
  #namesStatements: boolean;

  /** @param preparedStatements the engine's option */
  constructor(bindKey: BindKey, preparedStatements: boolean | undefined) {
    this.bindKey = bindKey;
    this.#isChosen = preparedStatements !== undefined;
    this.#isBetween = preparedStatements === false;
    this.#namesStatements = preparedStatements !== false;
  }

  /** Whether other clients may have a server connection of this engine's as soon as a transaction ends. */
  get isBetween(): boolean {
    return this.#isBetween;
  }

  /** Whether statements are prepared under names. */
  get namesStatements(): boolean {
    return this.#namesStatements;
  }

  /** Notes that a connection's server process is not the one that was named at its login. */
  otherProcess(): void {
    this.#isBetween = true;
    if (!this.#isChosen) this.#namesStatements = false;
  }

  /** Notes that the server does not know a statement under its name, and warns of it once. */
  unknownName(): void {
    this.#isBetween = true;
    if (!this.#namesStatements) return;
    this.#namesStatements = false;
    process.emitWarning(
      `The server of ${bindLabel(this.bindKey)} lost a prepared statement, so a transaction pooler is between. Statements are ` +
        "sent without names from now on. Set `preparedStatements: false`.",
      { type: "MultibindWarning", code: "MULTIBIND_POOLER" },
    );
  }

  /** The error of SQL text that begins transactions, which would lack the settings of the engine. */
  textRefusal(): UnsupportedError {
    const { bindKey } = this;
    return new UnsupportedError(
      `Cannot begin transactions as SQL text on ${bindLabel(bindKey)}: a transaction pooler is between, so they would lack the ` +
        "engine's isolationLevel, readOnly and statementTimeout. Use begin(), transaction() or Kysely's transaction().",
      { bindKey },
    );
  }
}
