import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, test } from "node:test";
import { application, packageFolder, root, runNode } from "./application.ts";

const compiler = join(root, "node_modules/typescript/bin/tsc");

describe("the package as an application has it", () => {
  let folder: string;

  before(async () => {
    folder = await application("@types/node", "better-sqlite3");
  });

  test("a package of sources that are not built has its build, declarations, licence and changes", async () => {
    const names = await readdir(await packageFolder());
    assert.deepEqual(names.sort(), ["CHANGELOG.md", "LICENSE", "README.md", "dist", "package.json", "src"]);
    const built = await readdir(join(await packageFolder(), "dist"));
    for (const name of ["index.js", "index.d.ts", "index.js.map"]) assert.ok(built.includes(name), name);
  });

  test("its declarations need no setting: not the types of Node.js, nor those of browsers, nor skipLibCheck", async () => {
    await writeFile(
      join(folder, "small.ts"),
      `import { Multibind, integer } from "multibind";
      export const db = new Multibind<"auth">();
      export class User extends db.model("user", { id: integer().primaryKey() }, { bindKey: "auth" }) {}`,
    );
    const options = {
      compilerOptions: { lib: ["es2024", "esnext.disposable"], module: "nodenext", strict: true, noEmit: true },
      files: ["small.ts"],
    };
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
    assert.equal(await runNode(compiler, "-p", folder), "");
  });

  test("what an application makes can be exported with declarations", async () => {
    await writeFile(
      join(folder, "models.ts"),
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
      export const pairs = select(User).joinAndSelect(other, "other.id", "user.id").leftJoinAndSelect(alias(User, "third"), "third.id", "user.id");
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
    await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
    assert.equal(await runNode(compiler, "-p", folder), "");
  });

  test("CommonJS can require it", async () => {
    const program = join(folder, "program.cjs");
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
    assert.equal(await runNode(program), "hello ada");
  });
});
