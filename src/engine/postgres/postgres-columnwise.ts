import type { TypeKind } from "../../schema/logical-type.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { ColumnwiseStatements, ListedType, TypedColumn } from "../family.ts";

/**
 * PostgreSQL takes the values of many rows as one array for each column. The statement is the same for any number of
 * rows, so it is prepared once, and rows are inserted in the arrays' order.
 */
export const postgresColumnwise: ColumnwiseStatements = {
  async columnTypes(table, run) {
    const rows = await run(COLUMN_TYPES, [quotedTable(table)]);
    return new Map(
      rows.map(({ name, type, isListed, isBytes }) => [
        String(name),
        { type: String(type), isListed: isListed === true, isBytes: isBytes === true },
      ]),
    );
  },

  canList(columns, rows) {
    // The driver sends bytes to a single value's type as they are, and within an array in the form that only bytea reads.
    const others = [...columns.keys()].filter((place) => {
      const { column, type } = columns[place]!;
      return MAY_BE_BYTES.has(column.definition.type.kind) && !type.isBytes;
    });
    return others.length === 0 || rows.every((row) => others.every((place) => !ArrayBuffer.isView(row[place])));
  },

  insert(table, columns, returned) {
    const names = columns.map(({ column }) => quoted(column.name));
    const values = columns.map(({ type }, index) => listedValue(names[index]!, type));
    const returning = returned.length === 0 ? "" : ` returning ${returned.map(({ name }) => quoted(name)).join(", ")}`;
    return (
      `insert into ${quotedTable(table)} (${names.join(", ")}) select ${values.join(", ")} ` +
      `from unnest(${lists(columns)}) with ordinality as "rows" (${[...names, POSITION].join(", ")}) order by ${POSITION}${returning}`
    );
  },

  lock(table, key, changesKeys) {
    const names = key.map((_, index) => quoted(`key${index}`));
    const conditions = key.map(
      ({ column, type }, index) => `"target".${quoted(column.name)} = ${listedValue(`"rows".${names[index]}`, type)}`,
    );
    return (
      `select 1 from unnest(${lists(key)}) with ordinality as "rows" (${[...names, POSITION].join(", ")}) ` +
      `join ${quotedTable(table)} as "target" on ${conditions.join(" and ")} ` +
      `order by "rows".${POSITION} for ${changesKeys ? "update" : "no key update"} of "target"`
    );
  },

  update(table, columns, where, changesKeys) {
    const alias = (prefix: string, index: number) => quoted(`${prefix}${index}`);
    const names = [
      ...columns.map((_, index) => alias("value", index)),
      ...where.map((_, index) => alias("key", index)),
    ];
    const value = (prefix: string, index: number, { type }: TypedColumn) =>
      listedValue(`"rows".${alias(prefix, index)}`, type);
    const sets = columns.map((one, index) => `${quoted(one.column.name)} = ${value("value", index, one)}`);
    const conditions = (alias: string) =>
      where.map((one, index) => `${alias}.${quoted(one.column.name)} = ${value("key", index, one)}`).join(" and ");
    // Where the table is small, an update alone takes its rows in the order in which they stand there.
    const locked =
      `select "rows".* from unnest(${lists([...columns, ...where])}) with ordinality as "rows" (${[...names, POSITION].join(", ")}) ` +
      `join ${quotedTable(table)} as "locked" on ${conditions('"locked"')} ` +
      `order by "rows".${POSITION} for ${changesKeys ? "update" : "no key update"} of "locked"`;
    return (
      `update ${quotedTable(table)} as "target" set ${sets.join(", ")} from (${locked}) as "rows" ` +
      `where ${conditions('"target"')} returning "rows".${POSITION}::int as "position"`
    );
  },
};

/**
 * An array of arrays, or of what separates by another character than a comma, is not read as a list of values; types of
 * several fields or with conditions are not always read as an array; drivers of dialects make JSON of JSON text. A type without its modifiers cuts nothing.
 */
const COLUMN_TYPES = `
  select attname as name, format_type(type.oid, -1) as type,
    typtype in ('b', 'e', 'r', 'm') and typcategory <> 'A' and typdelim = ',' and typarray <> 0
      and type.oid not in ('json'::regtype, 'jsonb'::regtype) as "isListed",
    coalesce(nullif(typbasetype, 0), type.oid) = 'bytea'::regtype as "isBytes"
  from pg_attribute join pg_type as type on type.oid = atttypid
  where attrelid = $1::regclass and attnum > 0 and not attisdropped`;

const MAY_BE_BYTES: ReadonlySet<TypeKind> = new Set<TypeKind>(["binary", "native"]);

const POSITION = quoted("multibind position");

/** The lists of several columns' values: those of types that cannot be listed are sent as text. */
function lists(columns: readonly TypedColumn[]): string {
  return columns.map(({ type }, index) => `$${index + 1}::${type.isListed ? type.type : "text"}[]`).join(", ");
}

/** A value out of a list, as the type that its column is of. */
function listedValue(listed: string, { type, isListed }: ListedType): string {
  return isListed ? listed : `${listed}::${type}`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quotedTable({ schema, tableName }: AnyTable): string {
  return schema === undefined ? quoted(tableName) : `${quoted(schema)}.${quoted(tableName)}`;
}
