import type { Engine } from "../../engine/engine.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import type { StoredRow } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { restoreSnapshot } from "../../model/snapshot.ts";
import type { TypeKind } from "../../schema/logical-type.ts";

const NOTHING: readonly never[] = [];

interface KeptColumn {
  readonly name: string;
  readonly kind: TypeKind;
  readonly converter: ColumnConverter;
}

/** Some properties of rows as they are remembered, to be sent again: what tells a row, for example. */
export class KeptValues {
  readonly #columns: readonly KeptColumn[];

  constructor(properties: readonly MappedProperty[], engine: Engine) {
    this.#columns = properties.map(({ name, column }) => ({
      name,
      kind: column.definition.type.kind,
      converter: engine.converter(column),
    }));
  }

  /** How many values there are. */
  get size(): number {
    return this.#columns.length;
  }

  /** The values of a row, as the driver takes them. */
  of(row: StoredRow): unknown[] {
    return this.behind(NOTHING, row);
  }

  /** A list of values, and those of a row behind them. */
  behind(values: readonly unknown[], row: StoredRow): unknown[] {
    const list = new Array<unknown>(values.length + this.size);
    for (let place = 0; place < values.length; place++) list[place] = values[place];
    for (let index = 0; index < this.size; index++) {
      const { name, kind, converter } = this.#columns[index]!;
      list[values.length + index] = converter.write(restoreSnapshot(kind, row[name]) ?? null);
    }
    return list;
  }
}
