import type { Engine } from "../../engine/engine.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import type { StoredRow } from "../../model/entity.ts";
import type { MappedProperty } from "../../model/mapper.ts";
import { restoreSnapshot } from "../../model/snapshot.ts";
import type { TypeKind } from "../../schema/logical-type.ts";

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

  /** Puts the values of a row behind those of a list, as the driver takes them. */
  addTo(list: unknown[], row: StoredRow): unknown[] {
    for (const { name, kind, converter } of this.#columns)
      list.push(converter.write(restoreSnapshot(kind, row[name]) ?? null));
    return list;
  }
}
