import { AliasNode, IdentifierNode, type OperationNode, RawNode, ValueNode } from "kysely";
import type { TypeKind } from "../../schema/logical-type.ts";
import { type Key, type KeyColumn, type KeyLists, keyConditions } from "../key-lists.ts";
import { NamedParameter } from "../statement/placeholders.ts";

const EXACT: ReadonlySet<TypeKind> = new Set<TypeKind>(["smallint", "integer", "bigint", "boolean", "binary"]);

/** SQLite takes the keys as one JSON text, so that the statement is the same for any number of keys. */
export const sqliteKeyLists: KeyLists = {
  chunk: 500,
  isExact: (kind) => EXACT.has(kind),
  formOf: () => "any",

  list(columns, _form, withPosition) {
    const given = (keys: readonly Key[]) => ({ keys: jsonOf(columns, keys) });
    const parameter = ValueNode.create(new NamedParameter("keys"));
    const [first, ...others] = columns as readonly [KeyColumn, ...KeyColumn[]];
    if (others.length === 0 && !withPosition) {
      const condition = RawNode.create(
        ["", ` in (select ${jsonAs(first, "value")} from json_each(`, "))"],
        [first.reference, parameter],
      );
      return { condition, firstPosition: 0, given };
    }
    return {
      source: AliasNode.create(RawNode.create(["json_each(", ")"], [parameter]), IdentifierNode.create("keys")),
      condition: keyConditions(columns, (part) => partOf(columns, part)),
      ...(withPosition ? { position: RawNode.createWithSql(`"keys"."key"`) } : undefined),
      firstPosition: 0,
      given,
    };
  },
};

function partOf(columns: readonly KeyColumn[], part: number): OperationNode {
  const stored = columns.length === 1 ? `"keys"."value"` : `json_extract("keys"."value", '$[${part}]')`;
  return RawNode.createWithSql(jsonAs(columns[part]!, stored));
}

/** JSON has no bytes. */
function jsonAs({ converter }: KeyColumn, json: string): string {
  return converter.column.definition.type.kind === "binary" ? `unhex(${json})` : json;
}

function jsonOf(columns: readonly KeyColumn[], keys: readonly Key[]): string {
  const rows = keys.map((key) => {
    const parts = columns.map(({ converter }, part) => jsonValue(converter.encode(key[part])));
    return parts.length === 1 ? parts[0] : `[${parts.join()}]`;
  });
  return `[${rows.join()}]`;
}

function jsonValue(encoded: unknown): string {
  if (typeof encoded === "number" || typeof encoded === "bigint") return String(encoded);
  if (ArrayBuffer.isView(encoded))
    return `"${Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength).toString("hex")}"`;
  return JSON.stringify(encoded);
}
