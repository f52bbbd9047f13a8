/**
 * How much work the types are for the compiler: a generated application of 300 models and 1,000 queries is checked, and
 * the number of type instantiations held against a budget; so is what its relations and includes cost. Instantiations are the same on every machine; seconds are
 * only told.
 *
 * npm run types:budget
 */
import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

const MODELS = 300;
const QUERIES = 1000;
const BUDGET = 900_000;
/** Relations of each model, and what one may cost; and an include of one. */
const RELATIONS = 4;
const RELATION_BUDGET = 260;
const INCLUDE_BUDGET = 700;
const BINDS = ["null", '"auth"', '"meta"'];

const root = join(import.meta.dirname, "..");
const folder = join(root, "type-budget");

/** The models that those of one model lead to, of all binds. */
function targets(index: number): readonly number[] {
  return [1, 2, BINDS.length, 7].map((step) => (index + step) % MODELS);
}

function plainModel(index: number, declared = ""): string {
  return `export class Model${index} extends db.model("table${index}", {
  id: integer().primaryKey(),
  previousId: integer().nullable(),
  ownerId: integer(),
  name: varchar(80).unique(),
  price: numeric(10, 2).default("0"),
  active: boolean().default(true),
}, { bindKey: ${BINDS[index % BINDS.length]} }) {${declared}}`;
}

function relatedModel(index: number): string {
  const [one, two, three, four] = targets(index).map((target) => `Model${target}`);
  const declared = `
  declare readonly owner: ToOne<${one}>;
  declare readonly previous: ToOne<${two} | null>;
  declare readonly owned: ToMany<${three}>;
  declare readonly next: ToMany<${four}>;
`;
  return `${plainModel(index, declared)}
db.relate(Model${index}, (r) => ({
  owner: r.belongsTo(() => ${one}, "ownerId"),
  previous: r.belongsTo(() => ${two}, "previousId"),
  owned: r.hasMany(() => ${three}, "ownerId"),
  next: r.hasMany(() => ${four}, "previousId", { orderBy: "-name" }),
}));`;
}

const include = (index: number) =>
  `  (await db.select(Model${index}).include({ owner: true }).all())[0]!.owner.name satisfies string;`;
const without = (index: number) => `  (await db.select(Model${index}).all())[0]!.name satisfies string;`;

function relations(model: (index: number) => string, query: (index: number) => string): string {
  return `import { Multibind, boolean, integer, numeric, type ToMany, type ToOne, varchar } from "../src/index.ts";
export type Used = ToOne<ToMany<unknown>>;
export const db = new Multibind<"auth" | "meta">();
${Array.from({ length: MODELS }, (_, index) => model(index)).join("\n")}
export async function queries(): Promise<void> {
${Array.from({ length: MODELS }, (_, index) => query(index)).join("\n")}
}
`;
}

function model(index: number): string {
  const previous = index >= BINDS.length ? `.references("table${index - BINDS.length}.id")` : "";
  return `export class Model${index} extends db.model("table${index}", {
  id: integer().primaryKey(),
  previousId: integer().nullable()${previous},
  name: varchar(80).unique(),
  price: numeric(10, 2).default("0"),
  active: boolean().default(true),
  createdAt: timestamp().default(() => new Date()),
  payload: json<{ readonly kind: string }>().nullable(),
}, { bindKey: ${BINDS[index % BINDS.length]} }) { get label() { return this.name + this.id; } }`;
}

function query(index: number): string {
  const a = index % MODELS;
  const b = (a + BINDS.length) % MODELS;
  const [one, other] = [`Model${a}`, `Model${b}`];
  const forms = [
    `(await db.select(${one}).where("name", "like", "a%").where("active", "=", true).orderBy("id").limit(${index + 1}).all())[0]!.label satisfies string`,
    `(await db.session.get(${one}, ${index}))?.price satisfies string | undefined`,
    `(await db.select(${one}).innerJoin(${other}, "table${b}.previousId", "table${a}.id").where("table${b}.price", ">", "1").first())?.createdAt satisfies Date | undefined`,
    `(await db.selectFrom(${one}).innerJoin(${other}, "table${b}.previousId", "table${a}.id").select(["table${a}.name", "table${b}.price as other"]).execute())[0]!.other satisfies string`,
    `db.session.add(new ${one}({ name: "n${index}", price: "1.50" }))`,
    `(await db.select(${one}).joinAndSelect(${other}, "table${b}.previousId", "table${a}.id").first())?.[1].label satisfies string | undefined`,
    `(await db.select(${one}).select(["name", "table${a}.price as cost"]).orderBy("id").all())[0]!.cost satisfies string`,
    `(await db.select(${one}).orderBy("createdAt", "desc").keyset({ perPage: 10 })).items[0]!.label satisfies string`,
    `(await db.select(${one}).where({ active: true }).orderBy("id").paginate()).total satisfies number | null`,
    `await db.select(${one}).where({ active: false }).update({ price: "2.00" })`,
  ];
  return `  ${forms[index % forms.length]};`;
}

const program = `import { Multibind, boolean, integer, json, numeric, timestamp, varchar } from "../src/index.ts";
export const db = new Multibind<"auth" | "meta">();
${Array.from({ length: MODELS }, (_, index) => model(index)).join("\n")}
export async function queries(): Promise<void> {
${Array.from({ length: QUERIES }, (_, index) => query(index)).join("\n")}
}
`;

async function check(source: string): Promise<{ readonly instantiations: number; readonly seconds: number }> {
  await writeFile(join(folder, "program.ts"), source);
  const { stdout } = await promisify(execFile)("npx", ["tsc", "-p", folder, "--extendedDiagnostics"], {
    cwd: root,
    maxBuffer: 2 ** 26,
  }).catch((error: { readonly stdout?: string }) => {
    throw new Error(`The generated application does not compile:\n${error.stdout?.slice(0, 4000)}`);
  });
  const figure = (name: string) => Number(new RegExp(`^${name}:\\s*([\\d.]+)`, "m").exec(stdout)?.[1]);
  return { instantiations: figure("Instantiations"), seconds: figure("Check time") };
}

await mkdir(folder, { recursive: true });
try {
  await writeFile(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: "../tsconfig.json",
      compilerOptions: { noUnusedLocals: false },
      include: ["program.ts"],
    }),
  );
  const library = await check('import "../src/index.ts";\nexport {};\n');
  const whole = await check(program);
  const instantiations = whole.instantiations - library.instantiations;
  console.log(`library alone: ${library.instantiations} instantiations, checked in ${library.seconds} s`);
  console.log(
    `${MODELS} models and ${QUERIES} queries: ${instantiations} instantiations more (budget ${BUDGET}), checked in ${whole.seconds} s`,
  );
  const bare = await check(relations((index) => plainModel(index), without));
  const declared = await check(relations(relatedModel, without));
  const included = await check(relations(relatedModel, include));
  const perRelation = (declared.instantiations - bare.instantiations) / (MODELS * RELATIONS);
  const perInclude = (included.instantiations - declared.instantiations) / MODELS;
  console.log(
    `${RELATIONS} relations of each model: ${perRelation.toFixed(0)} instantiations more for one (budget ${RELATION_BUDGET}); ` +
      `an include: ${perInclude.toFixed(0)} (budget ${INCLUDE_BUDGET}), checked in ${included.seconds} s`,
  );
  if (!(instantiations <= BUDGET && perRelation <= RELATION_BUDGET && perInclude <= INCLUDE_BUDGET)) {
    console.error("The budget is exceeded: the types have become more expensive.");
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
