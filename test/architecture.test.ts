import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

const source = join(import.meta.dirname, "..", "src");

/** The folders from the bottom up. A file imports only from its own folder and from those before it. */
const LAYERS: readonly string[] = ["errors", "schema", "model", "engine", "query", "ddl", "session", "context"];
/** Files beside the folders: on all of them, beside the errors, or below everything. */
const TOP = ["index.ts", "types.ts", "multibind.ts"];
const BESIDE_ERRORS = ["known-options.ts", "node-version.ts"];

const DATABASE_FOLDER = /^engine\/(sqlite|postgres|mysql)\//;

/** How code asks which database it is, and SQL that only one of them has. */
const PER_DATABASE: readonly RegExp[] = [
  /\bfamily\??\.name\b/,
  /[!=]==? "(sqlite|postgres|mysql)"/,
  /\bcase "(sqlite|postgres|mysql)"/,
  /\b(pg_[a-z]+|sqlite_[a-z]+|information_schema|innodb_\w+|json_group_array|json_arrayagg|row_to_json)\b/,
];

/** What each file imports, types included. */
async function importsOfSource(): Promise<ReadonlyMap<string, readonly string[]>> {
  const imports = new Map<string, readonly string[]>();
  for await (const path of glob("**/*.ts", { cwd: source })) {
    const text = await readFile(join(source, path), "utf8");
    const found = [...text.matchAll(/\b(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)];
    imports.set(
      path,
      found.map(([, target]) => join(path, "..", target!)),
    );
  }
  return imports;
}

/** Files that reach each other, the largest circle first (Tarjan's algorithm). */
function circlesOf(imports: ReadonlyMap<string, readonly string[]>): readonly (readonly string[])[] {
  const numbers = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const number = numbers.size;
    numbers.set(file, number);
    lowest.set(file, number);
    stack.push(file);
    for (const target of imports.get(file) ?? []) {
      const reached = !numbers.has(target) ? visit(target) : stack.includes(target) ? numbers.get(target)! : number;
      lowest.set(file, Math.min(lowest.get(file)!, reached));
    }
    if (lowest.get(file) === number) {
      const circle = stack.splice(stack.indexOf(file));
      if (circle.length > 1) circles.push(circle.sort());
    }
    return lowest.get(file)!;
  };
  for (const file of imports.keys()) if (!numbers.has(file)) visit(file);
  return circles.sort((a, b) => b.length - a.length);
}

function layerOf(file: string): number {
  const folder = file.split("/")[0]!;
  if (TOP.includes(folder)) return LAYERS.length;
  if (BESIDE_ERRORS.includes(folder)) return 0;
  return LAYERS.indexOf(folder);
}

describe("the architecture", () => {
  test("every folder is a layer", async () => {
    const folders = new Set([...(await importsOfSource()).keys()].filter((file) => file.includes("/")));
    assert.deepEqual(new Set([...folders].map((file) => file.split("/")[0]!)), new Set(LAYERS));
  });

  test("imports point downward", async () => {
    const upward: string[] = [];
    for (const [file, targets] of await importsOfSource())
      for (const target of targets) if (layerOf(target) > layerOf(file)) upward.push(`${file} imports ${target}`);
    assert.deepEqual(upward, []);
  });

  test("files form no circles but these, types included", async () => {
    const circles = circlesOf(await importsOfSource());
    assert.deepEqual(
      circles.map((files) => files.length),
      [12, 5, 3, 3, 2, 2, 2, 2, 2],
      JSON.stringify(circles, undefined, 1),
    );
    // The translator of statements calls itself by nature.
    assert.ok(circles[0]?.every((file) => file.startsWith("engine/statement/")));
    assert.ok(!circles.flat().some((file) => file.startsWith("session/")));
  });

  test("what differs between databases is in the folder of each", async () => {
    const found: string[] = [];
    for await (const path of glob("**/*.ts", { cwd: source })) {
      if (DATABASE_FOLDER.test(path)) continue;
      const text = (await readFile(join(source, path), "utf8")).replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
      const asked = PER_DATABASE.flatMap((pattern) => text.match(pattern)?.[0] ?? []);
      found.push(...asked.map((what) => `${path}: ${what}`));
    }
    // What a URL means is read before there is a family.
    const ofUrls = found.filter((one) => one.startsWith("engine/options/database-url.ts: "));
    assert.deepEqual(
      found.filter((one) => !ofUrls.includes(one)),
      [],
    );
    assert.deepEqual(new Set(ofUrls.map((one) => one.split(": ")[1])), new Set(['=== "sqlite"']));
  });

  test("the folders of databases are imported where all of them are listed", async () => {
    const importing = new Set<string>();
    for (const [file, targets] of await importsOfSource()) {
      if (DATABASE_FOLDER.test(file)) continue;
      if (targets.some((target) => DATABASE_FOLDER.test(target))) importing.add(file);
    }
    assert.deepEqual(
      [...importing].sort(),
      ["engine/families.ts", "engine/options/database-url.ts", "index.ts"],
      "what others need of a database is a member of Family",
    );
  });

  test("a circle is found, with all of its files", () => {
    const imports = new Map([
      ["a", ["b"]],
      ["b", ["c", "d"]],
      ["c", ["a"]],
      ["d", []],
    ]);
    assert.deepEqual(circlesOf(imports), [["a", "b", "c"]]);
  });
});
