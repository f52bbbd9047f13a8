import {
  AliasNode,
  BinaryOperationNode,
  IdentifierNode,
  type OperationNode,
  OperatorNode,
  PrimitiveValueListNode,
  RawNode,
  TupleNode,
  ValueListNode,
  ValueNode,
} from "kysely";
import type { TypeKind } from "../../schema/logical-type.ts";
import { type Key, type KeyColumn, type KeyLists, keyConditions } from "../key-lists.ts";
import { NamedParameter } from "../statement/placeholders.ts";

const EXACT: ReadonlySet<TypeKind> = new Set<TypeKind>(["smallint", "integer", "bigint", "boolean", "binary"]);

/** MySQL's prepared statements have so many parameters at most. */
const MOST_PARAMETERS = 65_535;

/**
 * MySQL and MariaDB take a list with a parameter for each key. It is filled up to a power of two, so that
 * few statements have to be prepared.
 */
export const mysqlKeyLists: KeyLists = {
  chunk: 1024,
  mostKeys: (columns) => 2 ** Math.floor(Math.log2(MOST_PARAMETERS / columns)),
  isExact: (kind) => EXACT.has(kind),
  formOf: (keys) => `${2 ** Math.ceil(Math.log2(keys.length))}${keys.every(isAscii) ? ASCII : ""}`,

  list(columns, form, withPosition) {
    const size = Number.parseInt(form, 10);
    return withPosition ? positioned(columns, size, form.endsWith(ASCII)) : listed(columns, size);
  },
};

function listed(columns: readonly KeyColumn[], size: number): ReturnType<KeyLists["list"]> {
  const names = numbered(size).map((place) => columns.map((_, part) => new NamedParameter(nameOf(place, part))));
  const [first] = columns as readonly [KeyColumn];
  const isSingle = columns.length === 1;
  const left = isSingle ? first.reference : TupleNode.create(columns.map(({ reference }) => reference));
  const right = isSingle
    ? PrimitiveValueListNode.create(names.map(([name]) => name))
    : ValueListNode.create(names.map((parts) => TupleNode.create(parts.map((name) => ValueNode.create(name)))));
  // The columns convert the values that stand opposite them.
  const given = (keys: readonly Key[]) =>
    parameters(size, columns, (place, part) => keys[Math.min(place, keys.length - 1)]![part]);
  return { condition: BinaryOperationNode.create(left, OperatorNode.create("in"), right), firstPosition: 1, given };
}

/**
 * The numbers of the keys as rows, and for each column the key of that number. In other forms the keys would have a
 * collation of their own, which may not go together with that of the column.
 *
 * @param isAscii whether the keys are text that goes together with columns of every character set
 */
function positioned(columns: readonly KeyColumn[], size: number, isAscii: boolean): ReturnType<KeyLists["list"]> {
  const rows = numbered(size).map((place) => (place === 0 ? "select 1 as `position`" : `select ${place + 1}`));
  const position = RawNode.createWithSql("`keys`.`position`");
  const keyOf = (part: number): OperationNode => {
    const values = numbered(size).map((place) => ValueNode.create(new NamedParameter(nameOf(place, part))));
    const separators = values.map(() => ", ");
    return typed(columns[part]!, isAscii, RawNode.create(["elt(", ...separators, ")"], [position, ...values]));
  };
  return {
    source: AliasNode.create(RawNode.createWithSql(`(${rows.join(" union all ")})`), IdentifierNode.create("keys")),
    condition: keyConditions(columns, keyOf),
    position,
    firstPosition: 1,
    given: (keys) =>
      parameters(size, columns, (place, part) => {
        const key = keys[place];
        return key === undefined ? null : columns[part]!.converter.encode(key[part]);
      }),
  };
}

/** A key out of a list of texts, as what its column is compared with exactly. */
function typed({ converter: { column } }: KeyColumn, isAscii: boolean, key: OperationNode): OperationNode {
  const { kind, precision, scale } = column.definition.type;
  if (kind === "numeric") return RawNode.create(["cast(", ` as decimal(${precision}, ${scale}))`], [key]);
  if (WHOLE.has(kind)) return RawNode.create(["cast(", " as signed)"], [key]);
  return isAscii && kind !== "binary" ? RawNode.create(["convert(", " using ascii)"], [key]) : key;
}

/** The end of the form of keys without other characters. */
const ASCII = " ascii";

function isAscii(key: Key): boolean {
  return key.every((part) => typeof part !== "string" || /^\p{ASCII}*$/u.test(part));
}

const WHOLE: ReadonlySet<TypeKind> = new Set<TypeKind>(["smallint", "integer", "bigint", "boolean"]);

function parameters(
  size: number,
  columns: readonly KeyColumn[],
  valueAt: (place: number, part: number) => unknown,
): Record<string, unknown> {
  const given: Record<string, unknown> = {};
  for (let place = 0; place < size; place++)
    for (const part of columns.keys()) given[nameOf(place, part)] = valueAt(place, part);
  return given;
}

function nameOf(place: number, part: number): string {
  return `key${place}:${part}`;
}

function numbered(size: number): readonly number[] {
  return Array.from({ length: size }, (_, place) => place);
}
