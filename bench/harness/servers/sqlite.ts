import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import type { SqliteInstants } from "../../contenders/contender.ts";
import { writeInstant } from "../../contenders/instants.ts";
import type { Server } from "./server.ts";

let folder: string | undefined;

/** SQLite files in a temporary folder. */
export const sqlite: Server = {
  family: "sqlite",
  place(name) {
    folder ??= mkdtempSync(join(tmpdir(), "multibind-bench-"));
    return { family: "sqlite", name: join(folder, `${name}.db`), host: "", port: 0, user: "", password: "" };
  },
  async create({ name }) {
    const database = new Sqlite(name);
    // The mode stays with the file, so it is everybody's.
    database.pragma("journal_mode = wal");
    database.close();
  },
  async drop({ name }) {
    for (const suffix of ["", "-wal", "-shm"]) rmSync(name + suffix, { force: true });
  },
  async open({ name }) {
    const database = new Sqlite(name);
    return {
      async run(sql, values = []) {
        const statement = database.prepare(sql);
        if (statement.reader) return statement.all(...values) as Record<string, unknown>[];
        statement.run(...values);
        return [];
      },
      async close() {
        database.close();
      },
    };
  },
  async version(access) {
    const [row] = await access.run("select sqlite_version() as version");
    return `SQLite ${row!["version"]}`;
  },
  tables: {
    post: [
      `create table post (id integer primary key, "authorId" integer not null, title varchar(200) not null, body text not null,
         published boolean not null, "createdAt" datetime not null)`,
      'create index ix_post_author on post ("authorId")',
    ],
    user: [
      `create table "user" (id integer primary key, name varchar(80) not null, email varchar(120) not null, admin boolean not null,
         "createdAt" datetime not null)`,
    ],
  },
  placeholder: () => "?",
  encode(value, instants) {
    if (typeof value === "boolean") return Number(value);
    return value instanceof Date ? instantAs(instants, value) : value;
  },
  settle: () => ["analyze"],
  tidy: () => ["pragma wal_checkpoint(passive)"],
};

/** Removes the folder of all files. */
export function removeSqliteFolder(): void {
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

function instantAs(form: SqliteInstants, instant: Date): string | number {
  switch (form) {
    case "milliseconds":
      return instant.getTime();
    case "iso":
      return instant.toISOString().replace("Z", "+00:00");
    case "text with offset":
      return `${writeInstant(instant)} +00:00`;
    default:
      return writeInstant(instant);
  }
}
