import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { glob, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");

/** An example of a doc comment, and the line on which it begins. */
interface Example {
  readonly place: string;
  readonly code: string;
}

/** The models and values that the examples use. */
const SURROUNDINGS = `
import Database from "better-sqlite3";
import { SqliteDialect } from "kysely";
import * as multibind from "../../src/index.ts";

const {
  Multibind, alias, bigint, check, defineDecimalFunctions, enumeration, foreignKey, index, integer, jsonArrayFrom, jsonObjectFrom, keyOf,
  isLoaded, number, numeric, select, sql, toPlain, text, timestamp, typed, unique, uuid, varchar, boolean,
} = multibind;
type Params<P extends object> = multibind.Params<P>;
type PrimaryKeyOf<M extends multibind.AnyModel> = multibind.PrimaryKeyOf<M>;
type ToMany<T> = multibind.ToMany<T>;
type ToOne<T> = multibind.ToOne<T>;
type Loaded<E, I> = multibind.Loaded<E, I>;

const db = new Multibind<"auth" | "meta" | "shop">();
class User extends db.model("user", {
  id: integer().primaryKey(),
  name: varchar(80),
  admin: boolean().default(false),
  role: enumeration(["reader", "writer", "sleeper"]).default("reader"),
  bio: text().nullable(),
  seenAt: timestamp().nullable(),
}, { bindKey: "auth" }) {
  declare readonly posts: ToMany<Post>;
  declare readonly profile: ToOne<Profile | null>;
}
class Profile extends db.model("profile", { id: integer().primaryKey(), userId: integer(), bio: text() }, { bindKey: "auth" }) {}
class Comment extends db.model("comment", { id: integer().primaryKey(), postId: integer(), text: text() }, { bindKey: "meta" }) {}
class Login extends db.model("login", { id: integer().primaryKey(), userId: integer(), at: timestamp() }, { bindKey: "auth" }) {}
class Account extends db.model("account", { id: integer().primaryKey(), status: text(), balance: bigint(), visits: integer() }) {}
class Employee extends db.model("employee", { id: integer().primaryKey(), bossId: integer().nullable() }) {}
class Member extends db.model("member", { userId: integer().primaryKey(), groupId: integer().primaryKey() }) {}
class Post extends db.model("post", {
  id: integer().primaryKey(),
  authorId: integer(),
  published: boolean().default(true),
  createdAt: timestamp().default(() => new Date()),
}) {
  declare readonly author: ToOne<User>;
  declare readonly editor: ToOne<User | null>;
  declare readonly comments: ToMany<Comment>;
}
class Garage extends db.model("garage", { id: integer().primaryKey(), carId: integer().unique() }) {}
class Seat extends db.model("seat", { id: integer().primaryKey(), price: numeric(8, 2) }) {}
class Vehicle extends db.model("vehicle", { id: integer().primaryKey(), kind: enumeration(["car"]) }, { discriminator: "kind" }) {}
const tag = db.table("tag", { id: integer().primaryKey(), label: text() }, { bindKey: "meta" });
interface AuthTables { user: { id: number; name: string } }

declare const app: ReturnType<typeof db.init>;
declare const session: ReturnType<typeof app.session>;
declare const context: ReturnType<typeof app.context>;
declare const response: { readonly statusCode: number; on(event: "close", listener: () => void): void };
declare const query: { readonly page: string; readonly after: string };
declare const post: Post;
declare const params: { readonly id: string };
declare const lastYear: Date;
declare const percent: number;
declare function print(...values: unknown[]): void;
declare function test(name: string, body: () => unknown): void;
`;

async function examplesOf(path: string): Promise<readonly Example[]> {
  const lines = (await readFile(join(root, path), "utf8")).split("\n");
  const examples: Example[] = [];
  for (const [index, line] of lines.entries()) {
    if (!line.trim().startsWith("* @example")) continue;
    const end = lines.findIndex((later, place) => place > index && /^\s*\*(?:\/| @)/.test(later));
    const code = lines.slice(index + 1, end).map((each) => each.replace(/^\s*\* ?/, ""));
    examples.push({ place: `${path}:${index + 1}`, code: code.join("\n").trim() });
  }
  return examples;
}

describe("the examples in doc comments", () => {
  test("compile", async (t) => {
    const examples: Example[] = [];
    for await (const path of glob("src/**/*.ts", { cwd: root })) examples.push(...(await examplesOf(path)));
    assert.ok(examples.length > 50);
    const folder = await mkdtemp(join(import.meta.dirname, "examples-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const functions = examples.map(
      ({ place, code }, index) =>
        `// ${place}\nexport async function example${index}() {\n${code.replace(/^export /gm, "")}\n}\n`,
    );
    await writeFile(join(folder, "examples.ts"), `${SURROUNDINGS}\n${functions.join("\n")}`);
    const options = {
      extends: join(root, "tsconfig.json"),
      compilerOptions: { noUnusedLocals: false, noUnusedParameters: false },
      include: ["*.ts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch(
      async (error: { readonly stdout: string }) => {
        const lines = (await readFile(join(folder, "examples.ts"), "utf8")).split("\n");
        const faults = error.stdout.replace(/examples\.ts\((\d+),/g, (found, line) => {
          const place = lines.slice(0, Number(line)).findLast((each) => /^\/\/ src\//.test(each));
          return `${place ?? "the surroundings"} ${found}`;
        });
        assert.fail(faults);
      },
    );
  });
});
