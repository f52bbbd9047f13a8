import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import { inRow } from "../../engine/values/row-label.ts";
import type { RowFiller } from "../../model/construction.ts";
import { generated } from "../../model/generated-code.ts";
import { snapshotTaker, takeSnapshot } from "../../model/snapshot.ts";
import type { TypeKind } from "../../schema/logical-type.ts";
import { type IdentityKey, identityKey, identityPart } from "../entities/identity-key.ts";

/** A row as the driver gave it. */
export type DriverRow = Record<string, unknown>;

/** Values by property. */
type Values = Record<string, unknown>;

/** A column of the rows that entities of one class are made from. */
export interface ReadColumn {
  readonly name: string;
  readonly rowKey: string;
  readonly kind: TypeKind;
  readonly converter: ColumnConverter;
}

/**
 * Makes the function that gives a row's identity by the columns of its key; `undefined` where one of them is null.
 *
 * The function throws `PrecisionError` or `InvalidValueError` for a value that cannot be read without loss.
 */
export function keyReader(key: readonly ReadColumn[]): (row: DriverRow) => IdentityKey | undefined {
  const oneByOne = (row: DriverRow): IdentityKey | undefined => {
    const values = key.map(({ rowKey, converter }) => converter.read(row[rowKey]));
    return values.includes(null) ? undefined : identityKey(values);
  };
  const [{ rowKey, kind, converter }, ...others] = key as readonly [ReadColumn, ...ReadColumn[]];
  if (others.length > 0) return oneByOne;
  const value = converter.codec.decode === undefined ? "stored" : "decode(stored)";
  const identity = IDENTICAL_IF_EQUAL.has(kind) ? value : `identityPart(${value})`;
  const code = `(row) => {
    const stored = row[${JSON.stringify(rowKey)}];
    if (stored === null || stored === undefined) return undefined;
    try { return ${identity}; } catch { return oneByOne(row); }
  }`;
  return generated(code, { oneByOne, identityPart, decode: converter.codec.decode }) ?? oneByOne;
}

/** Kinds of column whose values are their own identity. */
const IDENTICAL_IF_EQUAL: ReadonlySet<TypeKind> = new Set<TypeKind>(["integer", "smallint", "bigint", "text", "uuid"]);

/**
 * Makes the function that gives a row's values as the application gets them.
 *
 * The function throws `PrecisionError` or `InvalidValueError` for a value that cannot be read without loss.
 */
export function valuesReader(columns: readonly ReadColumn[]): (row: DriverRow) => Values {
  const oneByOne = (row: DriverRow): Values => {
    const values: Values = {};
    try {
      for (const { name, rowKey, converter } of columns) values[name] = converter.read(row[rowKey]);
    } catch (error) {
      throw inRow(error, row, columns);
    }
    return values;
  };
  const members = columns.map(({ name, rowKey, converter }, index) => {
    const stored = `row[${JSON.stringify(rowKey)}]`;
    const isNull = `${stored} === null || ${stored} === undefined ? null : `;
    return `${JSON.stringify(name)}: ${isNull}${converter.codec.decode === undefined ? stored : `decode${index}(${stored})`}`;
  });
  // An error has to name its column, which is found by reading again.
  const code = `(row) => { try { return { ${members.join(", ")} }; } catch { return oneByOne(row); } }`;
  const decoders = columns.map(({ converter }, index) => [`decode${index}`, converter.codec.decode] as const);
  return generated(code, { oneByOne, ...Object.fromEntries(decoders) }) ?? oneByOne;
}

/**
 * Makes the function that sets an entity's columns from a row and returns the remembered part of the row; absent
 * where the runtime does not let it be made.
 *
 * The function throws `PrecisionError` or `InvalidValueError` for a value that cannot be read without loss.
 */
export function rowFiller(columns: readonly ReadColumn[]): RowFiller | undefined {
  const readAgain = (row: DriverRow): void => {
    try {
      for (const { rowKey, converter } of columns) converter.read(row[rowKey]);
    } catch (error) {
      throw inRow(error, row, columns);
    }
  };
  const constants: Record<string, unknown> = { readAgain };
  const reads: string[] = [];
  const sets: string[] = [];
  for (const [index, { name, kind, converter }] of columns.entries()) {
    const [stored, held] = [`row[${JSON.stringify(name)}]`, `entity[${JSON.stringify(name)}]`];
    if (converter.codec.decode === undefined && snapshotTaker(kind) === undefined) {
      sets.push(`${held} = ${stored} ?? null;`);
      continue;
    }
    constants[`decode${index}`] = converter.codec.decode ?? ((value: unknown) => value);
    constants[`take${index}`] = snapshotTaker(kind);
    reads.push(
      `const stored${index} = ${stored}; value${index} = stored${index} == null ? null : decode${index}(stored${index});`,
    );
    const taken =
      snapshotTaker(kind) === undefined ? "" : `value${index} === null ? null : take${index}(value${index})`;
    sets.push(`${held} = value${index}; ${stored} = ${taken || `value${index}`};`);
  }
  const values = columns.map((_, index) => `value${index}`).join(", ");
  // An error has to name its column, which is found by reading again.
  const code = `(entity, row) => {
    let ${values};
    try { ${reads.join(" ")} } catch (error) { readAgain(row); throw error; }
    ${sets.join(" ")}
  }`;
  return generated<RowFiller>(code, constants);
}

/**
 * Makes the function that returns the remembered part of a row's values.
 *
 * @param inPlace whether the row itself may become what is remembered
 */
export function snapshotMaker(
  columns: readonly ReadColumn[],
  inPlace: boolean,
): (row: DriverRow, values: Values) => Values {
  const own = inPlace ? columns.filter(({ kind, converter }) => !converter.readsPlain || snapshotTaker(kind)) : columns;
  const members = own.map(({ name, kind }, index) => {
    const value = `values[${JSON.stringify(name)}]`;
    const taken = snapshotTaker(kind) === undefined ? value : `${value} === null ? null : take${index}(${value})`;
    return inPlace ? `row[${JSON.stringify(name)}] = ${taken};` : `${JSON.stringify(name)}: ${taken},`;
  });
  const code = inPlace
    ? `(row, values) => { ${members.join(" ")} return row; }`
    : `(row, values) => ({ ${members.join(" ")} })`;
  const takers = own.map(({ kind }, index) => [`take${index}`, snapshotTaker(kind)] as const);
  const oneByOne = (row: DriverRow, values: Values): Values => {
    const snapshot = inPlace ? row : {};
    for (const { name, kind } of own) snapshot[name] = takeSnapshot(kind, values[name]);
    return snapshot;
  };
  return generated(code, Object.fromEntries(takers)) ?? oneByOne;
}

/** Makes the function that copies some columns of a row. */
export function rowPicker(names: readonly string[]): (row: DriverRow) => DriverRow {
  const members = names.map((name) => `${JSON.stringify(name)}: row[${JSON.stringify(name)}]`);
  const oneByOne = (row: DriverRow): DriverRow => Object.fromEntries(names.map((name) => [name, row[name]]));
  return generated(`(row) => ({ ${members.join(", ")} })`, {}) ?? oneByOne;
}
