import { AliasNode, type OperationNode, RawNode, ValueNode } from "kysely";
import type { TypeKind } from "../../schema/logical-type.ts";
import { type Key, type KeyColumn, type KeyLists, keyConditions } from "../key-lists.ts";
import { NamedParameter } from "../statement/placeholders.ts";

const EXACT: ReadonlySet<TypeKind> = new Set<TypeKind>([
  ...(["smallint", "integer", "bigint", "boolean", "uuid", "binary", "date"] as const),
]);

/**
 * PostgreSQL takes the keys as one array for each column, so that the statement is the same for any number of keys, and
 * prepared once.
 */
export const postgresKeyLists: KeyLists = {
  chunk: 10_000,
  isExact: (kind) => EXACT.has(kind),
  formOf: () => "any",

  list(columns, _form, withPosition) {
    const given = (keys: readonly Key[]) =>
      Object.fromEntries(
        columns.map(({ converter }, part) => [nameOf(part), keys.map((key) => converter.encode(key[part]))]),
      );
    const [first, ...others] = columns as readonly [KeyColumn, ...KeyColumn[]];
    if (others.length === 0 && !withPosition) {
      const condition = RawNode.create(["", " = any(", ")"], [first.reference, parameterOf(0)]);
      return { condition, firstPosition: 1, given };
    }
    const names = [...columns.map((_, part) => quoted(part)), "position"];
    return {
      source: AliasNode.create(rowsOf(columns), RawNode.createWithSql(`"keys" (${names.join(", ")})`)),
      condition: keyConditions(columns, (part) => RawNode.createWithSql(`"keys".${quoted(part)}`)),
      ...(withPosition ? { position: RawNode.createWithSql(`"keys".position`) } : undefined),
      firstPosition: 1,
      given,
    };
  },
};

/** The keys as rows. Next to an array of a column's own values, a parameter is an array of that column's type too. */
function rowsOf(columns: readonly KeyColumn[]): RawNode {
  const arrays = columns.flatMap(({ converter: { column }, table }, part) => [
    RawNode.createWithSql(`"${column.name.replaceAll('"', '""')}"`),
    table,
    parameterOf(part),
  ]);
  const texts = columns.map((_, part) => (part === 0 ? "unnest(" : "), "));
  const fragments = texts.flatMap((text) => [`${text}array_cat((select array_agg(`, ") from ", " where false), "]);
  return RawNode.create([...fragments, ")) with ordinality"], arrays);
}

function nameOf(part: number): string {
  return `keys${part}`;
}

function quoted(part: number): string {
  return `"key${part}"`;
}

function parameterOf(part: number): OperationNode {
  return ValueNode.create(new NamedParameter(nameOf(part)));
}
