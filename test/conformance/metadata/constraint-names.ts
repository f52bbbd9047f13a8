import type { Application, BindKey, Multibind } from "../../../src/index.ts";
import type { JsonObject } from "../read/json.ts";
import { labelOf } from "../read/keys.ts";

const CONSTRAINT = /(?:constraint "([^"]+)" )?(primary key|unique \(|check \(|foreign key|references)/gi;
const INDEX = /^create (?:unique )?index "([^"]+)" on "([^"]+)"/i;
const TABLE = /^create table "([^"]+)"/i;

const KINDS: Readonly<Record<string, string>> = {
  "primary key": "primary_key_constraint",
  "unique (": "unique_constraint",
  "check (": "check_constraint",
  "foreign key": "foreign_key_constraint",
  references: "foreign_key_constraint",
};

/** The names of all constraints and indexes by kind, for each table: read out of the SQL that makes the tables. */
export async function constraintNames(db: Multibind): Promise<JsonObject> {
  const names: Record<string, Record<string, (string | null)[]>> = {};
  const application = memoryApplication(db);
  for (const [key, engine] of application.engines) {
    engine.onStatement(({ sql }) => note(names, key, sql));
    await application.createAll({ bindKey: key });
  }
  await application.dispose();
  for (const kinds of Object.values(names)) for (const list of Object.values(kinds)) list.sort();
  return names;
}

/** An application with a database in memory for each bind that has tables. */
function memoryApplication(db: Multibind): Application {
  const keys = [...db.metadatas].filter(([, { tables }]) => tables.size > 0).map(([key]) => key);
  return db.init({ binds: new Map(keys.map((key) => [key, "sqlite://"])) });
}

function note(names: Record<string, Record<string, (string | null)[]>>, key: BindKey, sql: string): void {
  const index = INDEX.exec(sql);
  const table = index?.[2] ?? TABLE.exec(sql)?.[1];
  if (table === undefined) return;
  names[`${labelOf(key)}/${table}`] ??= {};
  const kinds = names[`${labelOf(key)}/${table}`]!;
  const add = (kind: string, name: string | null) => {
    kinds[kind] ??= [];
    kinds[kind].push(name);
  };
  if (index !== null) {
    add("index", index[1]!);
    return;
  }
  // A foreign key over the table's columns says `foreign key (…) references …`: one constraint, found twice.
  const text = sql.replace(/foreign key (\([^)]*\)) references/gi, "foreign key $1 to");
  for (const [, name = null, kind = ""] of text.matchAll(CONSTRAINT)) add(KINDS[kind.toLowerCase()]!, name);
}
