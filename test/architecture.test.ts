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
