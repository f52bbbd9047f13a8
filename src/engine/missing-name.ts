import { type BindKey, bindLabel, quotedBindKey } from "../bind-key.ts";
import { nameList } from "../errors/name-list.ts";
import { didYouMean } from "../nearest-name.ts";
import type { Metadata } from "../schema/metadata.ts";
import type { AnyTable } from "../schema/table.ts";

/** A name in a statement that a database does not know, or that could mean several things. */
export interface MissingName {
  readonly kind: "table" | "column" | "ambiguous column" | "schema" | "database";
  /** The name as the database writes it: of a table with the schema in front where it is said, of a column without its table. */
  readonly name: string;
  /** The table, or its alias, that a column was looked for in. */
  readonly table?: string | undefined;
}

/** The parts of a column's name that may have its table in front. */
export function columnIn(qualified: string): { readonly name: string; readonly table?: string } {
  const dot = qualified.lastIndexOf(".");
  return dot === -1 ? { name: qualified } : { name: qualified.slice(dot + 1), table: qualified.slice(0, dot) };
}

/** The facts and the way out that an error of a missing name gets. */
export interface MissingNameHelp {
  /** Sentences after the database's own message, with a space in front. */
  readonly hint: string;
  readonly table?: string | undefined;
  readonly column?: string | undefined;
}

/** Where the name was missing. */
export interface MissingNamePlace {
  readonly bindKey: BindKey;
  /** Whether multibind may create tables there. */
  readonly managed: boolean;
  readonly metadata: Metadata | undefined;
  readonly sql: string | undefined;
}

/** What to do about a name that a database does not know: the models tell who is right. */
export function helpFor(missing: MissingName, place: MissingNamePlace): MissingNameHelp {
  switch (missing.kind) {
    case "database":
      return { hint: ` Create it: \`create database ${missing.name}\`, or correct the URL.` };
    case "schema":
      return { hint: ` Create it: \`create schema ${missing.name}\`. createAll() creates tables, not schemas.` };
    case "ambiguous column":
      return { hint: ` Put the table in front: "table.${missing.name}".`, column: missing.name };
    case "table":
      return helpForTable(missing.name, place);
    case "column":
      return helpForColumn(missing, place);
  }
}

function helpForTable(name: string, { bindKey, managed, metadata, sql = "" }: MissingNamePlace): MissingNameHelp {
  // The statement that creates or drops it knows that it may be missing.
  if (/^\s*(?:create|alter|drop)\b/i.test(sql)) return { hint: "", table: name };
  const own = tableNamed(name, metadata);
  if (own !== undefined) {
    const label = `The table "${own.fullName}" of your models is missing in the database.`;
    const key = bindKey === null ? "" : `{ bindKey: ${quotedBindKey(bindKey)} }`;
    const todo = managed
      ? `Run \`await app.createAll(${key})\`, or your migrations.`
      : "The bind has `managed: false`: create the table in the database.";
    return { hint: ` ${label} ${todo}`, table: own.fullName };
  }
  const elsewhere = (metadata?.owner.named(bare(name)) ?? []).filter((table) => table.bindKey !== bindKey);
  const [other] = elsewhere;
  if (other !== undefined) {
    const binds = elsewhere.map((table) => bindLabel(table.bindKey));
    const option = other.bindKey === null ? "{ bindKey: null }" : `{ bindKey: ${quotedBindKey(other.bindKey)} }`;
    return {
      hint: ` The table "${other.fullName}" belongs to ${nameList(binds)}: run the statement there, with \`${option}\`.`,
      table: name,
    };
  }
  const hint = didYouMean(bare(name), metadata?.tables.keys() ?? []);
  return { hint: ` No model or table of ${bindLabel(bindKey)} has that name.${hint}`, table: name };
}

function helpForColumn({ name, table }: MissingName, { metadata, sql = "" }: MissingNamePlace): MissingNameHelp {
  const named = table === undefined ? undefined : tableNamed(table, metadata);
  const candidates = named === undefined ? tablesIn(sql, metadata) : [named];
  const owners = candidates.filter((one) => one.columnNamed(name) !== undefined);
  if (owners.length === 1) {
    const { fullName } = owners[0]!;
    const column = owners[0]!.columnNamed(name)!.property;
    return {
      hint:
        ` The model of "${fullName}" has the column "${column}", and the table in the database has not: it is older. ` +
        "Migrate it. createAll() does not change tables that exist.",
      table: fullName,
      column,
    };
  }
  if (owners.length > 1 || candidates.length === 0) return { hint: "", table, column: name };
  const columns = candidates.flatMap((one) => one.columnList.map((column) => column.name));
  const hint = didYouMean(name, new Set(columns));
  const labels = candidates.map(({ fullName }) => `"${fullName}"`);
  return {
    hint: ` No column of ${nameList(labels)} has that name.${hint}`,
    table: candidates.length === 1 ? candidates[0]!.fullName : table,
    column: name,
  };
}

/** The table of that name, with a schema or database in front or without. */
function tableNamed(name: string, metadata: Metadata | undefined): AnyTable | undefined {
  return metadata?.tables.get(name) ?? metadata?.tables.get(bare(name));
}

/** A name without the schema in front. */
function bare(name: string): string {
  return name.slice(name.lastIndexOf(".") + 1);
}

/** The tables whose names stand in a statement as words. */
function tablesIn(sql: string, metadata: Metadata | undefined): AnyTable[] {
  if (metadata === undefined) return [];
  const words = new Set(sql.match(/[\p{L}_][\p{L}\p{N}_$]*/gu));
  return [...metadata.tables.values()].filter(({ tableName }) => words.has(tableName));
}
