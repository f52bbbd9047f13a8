import { type LogicalType, Refusal } from "../../schema/logical-type.ts";
import { NO_OWNER, TableColumn } from "../../schema/table-column.ts";
import { numericType } from "../../schema/types/numeric.ts";
import { decodeDecimal } from "../values/codec.ts";
import { ColumnConverter } from "../values/column-converter.ts";
import type { CompileTarget } from "./compile-target.ts";

/** More decimal places than any column has, and than a calculation gives. */
const ANY_SCALE = 200;
const ANY = numericType(65 + ANY_SCALE, ANY_SCALE);

/** Reads and writes decimals that are no column's own: what is calculated, and what comes from one column or another. */
export class DecimalConverter extends ColumnConverter {
  readonly #scale: number | undefined;

  /** @param scale the decimal places that are read; undefined where each value has as many as it needs */
  constructor(scale: number | undefined, { bindKey, family }: CompileTarget) {
    const type: LogicalType<string> = { kind: "numeric", precision: 65, scale: scale ?? ANY_SCALE, accept };
    super(
      new TableColumn(
        { type },
        { owner: NO_OWNER, name: "calculated", fullName: "calculated", bindKey },
        "decimal",
        "decimal",
      ),
      family,
    );
    this.#scale = scale;
  }

  override get scale(): number | undefined {
    return this.#scale;
  }

  override read(stored: unknown): unknown {
    const value = super.read(stored);
    if (this.#scale !== undefined || typeof value !== "string" || !value.includes(".")) return value;
    return value.replace(/\.?0+$/, "");
  }
}

/** Takes any number: what a decimal is compared with or calculated with need not fit a column. */
function accept(value: unknown): string {
  if (typeof value !== "number" && typeof value !== "bigint") return ANY.accept(value) as string;
  if (typeof value === "number" && !Number.isFinite(value)) throw new Refusal(`it is ${value}`);
  return ANY.accept(decodeDecimal(value, ANY_SCALE)) as string;
}
