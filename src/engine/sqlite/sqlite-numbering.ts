import type { AnyTable } from "../../schema/table.ts";
import type { QueryRunner } from "../family.ts";

/** From here on numbers come near the largest key, beyond which SQLite draws keys by lot. */
const TOO_LARGE = 2 ** 52;

/**
 * Tells, within a transaction that writes, whether the rows of one statement get keys that follow one another, so that
 * the last one tells all: much cheaper than giving them back. They do, unless a trigger adds or deletes rows in between.
 * Triggers are looked for again when the schema has changed.
 */
export function sqliteNumbering(table: AnyTable): (run: QueryRunner) => Promise<boolean> {
  const schema = quoted(table.schema ?? "main");
  const catalog = `${schema}.sqlite_schema`;
  const ofTable = "type = 'trigger' and tbl_name = ? collate nocase";
  const isPlain =
    `select exists (select 1 from ${catalog} where type = 'table' and name = ? collate nocase) ` +
    `and not exists (select 1 from ${catalog} where ${ofTable}) ` +
    `and not exists (select 1 from sqlite_temp_schema where ${ofTable}) as "isPlain"`;
  const largest = `select max(${quoted(table.generatedKey!.name)}) as "largest" from ${schema}.${quoted(table.tableName)}`;
  const known = { version: "", isPlain: false };
  return async (run) => {
    const version = `${await numberOf(run, `pragma ${schema}.schema_version`)} ${await numberOf(run, "pragma temp.schema_version")}`;
    if (known.version !== version) {
      const { tableName } = table;
      known.isPlain = (await numberOf(run, isPlain, [tableName, tableName, tableName])) === 1;
      known.version = version;
    }
    return known.isPlain && (await numberOf(run, largest)) < TOO_LARGE;
  };
}

/** The one number that a query gives; null is 0. */
async function numberOf(run: QueryRunner, sql: string, parameters: readonly unknown[] = []): Promise<number> {
  const [row] = await run(sql, parameters);
  return Number(Object.values(row ?? {})[0] ?? 0);
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
