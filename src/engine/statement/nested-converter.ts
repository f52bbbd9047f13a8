import { PrecisionError } from "../../errors/value.ts";
import { NO_OWNER, TableColumn } from "../../schema/table-column.ts";
import { json } from "../../schema/types/json.ts";
import { InexactJson } from "../values/codec.ts";
import { ColumnConverter } from "../values/column-converter.ts";
import { parseJson } from "../values/exact-json.ts";
import { PrecisionRefusal } from "../values/refusals.ts";
import type { CompileTarget } from "./compile-target.ts";
import type { Output } from "./relation.ts";

type JsonRow = Record<string, unknown>;

/** Reads rows that came as JSON: each value as the column says that it is of. */
export class NestedConverter extends ColumnConverter {
  readonly #outputs: readonly Output[];

  constructor(outputs: readonly Output[], { bindKey, family }: CompileTarget) {
    const { definition } = json();
    super(
      new TableColumn(definition, { owner: NO_OWNER, name: "nested", fullName: "nested", bindKey }, "rows", "rows"),
      family,
    );
    this.#outputs = outputs;
  }

  override get readsPlain(): boolean {
    return false;
  }

  override read(stored: unknown): unknown {
    if (stored === null || stored === undefined) return null;
    if (stored instanceof InexactJson)
      throw this.column.refusal(stored.refusal.message, { ErrorClass: PrecisionError });
    const value = typeof stored === "string" ? this.#parsed(stored) : stored;
    if (Array.isArray(value)) for (const row of value) this.#readRow(row as JsonRow);
    else if (value !== null) this.#readRow(value as JsonRow);
    return value;
  }

  #parsed(text: string): unknown {
    try {
      return parseJson(text);
    } catch (error) {
      if (error instanceof PrecisionRefusal) throw this.column.refusal(error.message, { ErrorClass: PrecisionError });
      throw this.column.refusal(
        "what came is not whole; MySQL and MariaDB cut lists off at the setting group_concat_max_len",
      );
    }
  }

  #readRow(row: JsonRow): void {
    for (const { name, converter } of this.#outputs) {
      if (name === undefined || converter === undefined) continue;
      const value = row[name];
      const isHex = converter.column.definition.type.kind === "binary" && typeof value === "string";
      row[name] = converter.read(isHex ? Buffer.from(value, "hex") : value);
    }
  }
}
