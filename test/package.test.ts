import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..");
const compiler = join(root, "node_modules/typescript/bin/tsc");

/** A program of an application that has the package among its dependencies. */
async function run(script: string, ...given: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, [script, ...given]).catch((error) => {
    throw new Error(`${error.stdout}${error.stderr}`);
  });
  return stdout.trim();
}

describe("the package as an application has it", () => {
  let application: string;

  before(async () => {
    application = await mkdtemp(join(import.meta.dirname, "application-"));
    const folder = join(application, "node_modules/multibind");
    await mkdir(folder, { recursive: true });
    await cp(join(root, "package.json"), join(folder, "package.json"));
    await writeFile(join(application, "package.json"), '{ "type": "module" }');
    await run(compiler, "-p", join(root, "tsconfig.build.json"), "--outDir", join(folder, "dist"));
  });
  after(() => rm(application, { recursive: true, force: true }));

  test("what an application makes can be exported with declarations", async () => {
    await writeFile(
      join(application, "models.ts"),
      `import { alias, enumeration, integer, Multibind, numeric, type Params, select, uuid, varchar } from "multibind";
      export const db = new Multibind<"auth" | "meta">();
      export class User extends db.model("user", { id: integer().primaryKey(), name: varchar(80) }, { bindKey: "auth" }) {}
      export const tag = db.table("tag", { id: integer().primaryKey() }, { bindKey: "meta" });
      const Base = db.abstractModel({ token: uuid() }, { bindKey: "meta" });
      export class Vehicle extends Base.extend("vehicle",
        { id: integer().primaryKey(), kind: enumeration(["car", "truck"]) }, { discriminator: "kind" }) {}
      export class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {}
      export class Truck extends Vehicle.extend("truck",
        { id: integer().primaryKey().references("vehicle.id"), load: numeric(5, 2) }, { identity: "truck" }) {}
      export class OldUser extends User.extend("old_user", {}, { bindKey: "meta", concrete: true }) {}
      export const app = db.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://", meta: "sqlite://" } });
      export const session = app.session();
      export const named = select(User).where("name", "=", "ada");
      export const twice = select(User).innerJoin(User.as("other"), "other.id", "user.id");
      export const other = alias(User, "other");
      export const perhaps = select(User).leftJoin(other, "other.id", "user.id");
      export const counted = select(User).select((eb) => ["name", eb.fn.countAll<number>().as("users")]).groupBy("name");
      export const pairs = select(User).with(other, "other.id", "user.id").withOptional(alias(User, "third"), "third.id", "user.id");
      export const page = () => db.select(User).paginate();
      export const feed = () => session.select(pairs).orderBy("user.name").keyset();
      export const byId = db.prepare((p: Params<{ id: number }>) => select(User).where("id", "=", p("id")));
      export const rows = () => db.selectFrom(User).innerJoin(User.as("other"), "other.id", "user.id").select("user.name");
      export const engineOptions = app.engine.options;
      export const foreignKeys = Truck.table.foreignKeys;
      `,
    );
    const options = {
      compilerOptions: {
        target: "es2023",
        lib: ["es2024", "esnext.disposable"],
        module: "nodenext",
        types: ["node"],
        strict: true,
        declaration: true,
        outDir: "out",
        rootDir: ".",
      },
      files: ["models.ts"],
    };
    await writeFile(join(application, "tsconfig.json"), JSON.stringify(options));
    assert.equal(await run(compiler, "-p", application), "");
  });

  test("CommonJS can require it", async () => {
    const program = join(application, "program.cjs");
    await writeFile(
      program,
      `const { Multibind, integer, text } = require("multibind");
      const db = new Multibind();
      class User extends db.model("user", { id: integer().primaryKey(), name: text() }, { bindKey: "auth" }) {
        greet() { return "hello " + this.name; }
      }
      const app = db.init({ binds: { auth: "sqlite://" } });
      app.run(async () => {
        await db.createAll();
        db.session.add(new User({ name: "ada" }));
        await db.session.commit();
        console.log((await db.select(User).one()).greet());
      }).then(() => app.dispose());
      `,
    );
    assert.equal(await run(program), "hello ada");
  });
});
