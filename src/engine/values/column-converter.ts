import { PrecisionError } from "../../errors/value.ts";
import { Refusal } from "../../schema/logical-type.ts";
import type { RefusalOptions, TableColumn } from "../../schema/table-column.ts";
import type { Family } from "../family.ts";
import type { Codec } from "./codec.ts";
import { PrecisionRefusal } from "./refusals.ts";

const WAY_OUT = "; change it, or declare the column with native() to read it as the driver does";

/** How values of one column are written to and read from one engine. */
export class ColumnConverter {
  readonly column: TableColumn;
  /** What converts values that the column has accepted, or that the driver read. */
  readonly codec: Codec;

  /** @param codecs what has the codec of each type */
  constructor(column: TableColumn, codecs: Pick<Family, "codec">) {
    this.column = column;
    this.codec = codecs.codec(column.definition.type);
  }

  /** Of decimals, how many decimal places they have; undefined where each has as many as it needs. */
  get scale(): number | undefined {
    return this.column.definition.type.scale;
  }

  /** Whether what the driver reads is what the application gets. */
  get readsPlain(): boolean {
    return this.codec.decode === undefined;
  }

  /**
   * Checks a value and makes what the driver sends. Null passes.
   *
   * @throws {InvalidValueError} if the column cannot hold the value
   */
  write(value: unknown): unknown {
    return value === null ? null : this.encode(this.column.accept(value));
  }

  /**
   * Makes what the driver sends of a value that the column has accepted, which is not null.
   *
   * @throws {InvalidValueError} if this database cannot hold it
   */
  encode(accepted: unknown): unknown {
    const { encode } = this.codec;
    if (encode === undefined) return accepted;
    try {
      // `accept` has made the value what the type's own codec takes.
      return encode(accepted as never);
    } catch (error) {
      throw this.#refused(error, { status: 400 });
    }
  }

  /**
   * Makes the application's value of what the driver read. Null passes.
   *
   * @throws {PrecisionError | InvalidValueError} if that is not possible without loss
   */
  read(stored: unknown): unknown {
    const { decode } = this.codec;
    if (stored === null || stored === undefined || decode === undefined) return stored ?? null;
    try {
      return decode(stored);
    } catch (error) {
      throw this.#refused(error, {}, WAY_OUT);
    }
  }

  /** @param wayOut what to do, where the refusal itself does not say so after a semicolon */
  #refused(error: unknown, options: RefusalOptions, wayOut = ""): unknown {
    if (!(error instanceof Refusal)) return error;
    const reason = error.message.includes(";") ? error.message : `${error.message}${wayOut}`;
    return this.column.refusal(reason, {
      ...options,
      ErrorClass: error instanceof PrecisionRefusal ? PrecisionError : undefined,
    });
  }
}
