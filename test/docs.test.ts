import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";
import { promisify } from "node:util";
import * as multibind from "../src/index.ts";

const root = join(import.meta.dirname, "..");
const pages = ["README.md", ...(await readdir(join(root, "docs"))).map((name) => `docs/${name}`)];

/** The program that a page's blocks with this label make, one after the other. */
async function program(page: string, label: string): Promise<string> {
  const text = await readFile(join(root, page), "utf8");
  return [...text.matchAll(new RegExp(`\`\`\`ts ${label}\\n([\\s\\S]*?)\`\`\``, "g"))]
    .map(([, code]) => code!)
    .join("\n");
}

/** What a reader copies has to compile, too. */
async function requireTypes(folder: string): Promise<void> {
  const options = {
    extends: join(root, "tsconfig.json"),
    compilerOptions: { noUnusedLocals: false },
    include: ["*.ts"],
  };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(options));
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  await promisify(execFile)(process.execPath, [compiler, "-p", folder]).catch((error: { readonly stdout: string }) => {
    assert.fail(error.stdout);
  });
}

async function run(code: string, folder: string): Promise<string> {
  const file = join(folder, "program.ts");
  await writeFile(file, code.replace('from "multibind"', `from "../../src/index.ts"`));
  await requireTypes(folder);
  const { stdout } = await promisify(execFile)(process.execPath, [file], {
    cwd: folder,
    env: { ...process.env, NO_COLOR: "1" },
  });
  return stdout;
}

describe("the documentation", () => {
  test("the tour of the README runs as written and prints what it says", async (t) => {
    const folder = await mkdtemp(join(import.meta.dirname, "tour-"));
    t.after(() => rm(folder, { recursive: true, force: true }));
    const tour = await program("README.md", "tour");
    const promised = [...tour.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text!.trim());
    assert.ok(promised.length > 5);
    assert.deepEqual((await run(tour, folder)).trim().split("\n"), promised);
  });

  for (const page of pages) {
    test(`${page}: its programs run`, async (t) => {
      const code = await program(page, "run");
      if (code === "") return;
      const folder = await mkdtemp(join(import.meta.dirname, "docs-"));
      t.after(() => rm(folder, { recursive: true, force: true }));
      await run(code, folder);
    });

    test(`${page}: its links lead somewhere`, async () => {
      const text = await readFile(join(root, page), "utf8");
      for (const [, target] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        await readFile(join(root, page, "..", target!)).catch((error: NodeJS.ErrnoException) => {
          if (error.code !== "EISDIR") throw error;
        });
      }
    });
  }

  test("has a paragraph with a way out for every code of an error", async () => {
    const page = await readFile(join(root, "docs/errors.md"), "utf8");
    const paragraphs = new Map(
      page
        .split(/^### /m)
        .slice(1)
        .map((text) => [/^\S+/.exec(text)![0], text.split(/^## /m)[0]!] as const),
    );
    const classes = new Map<string, string>();
    for (const name of await readdir(join(root, "src/errors"))) {
      const source = await readFile(join(root, "src/errors", name), "utf8");
      for (const [, own, code] of source.matchAll(
        /class (\w+Error) extends(?:(?!\n\})[\s\S])*?readonly code(?:: string)? = "([A-Z_]+)"/g,
      ))
        classes.set(code!, own!);
    }
    assert.deepEqual([...paragraphs.keys()].sort(), [...classes.keys()].sort());
    for (const [code, text] of paragraphs) {
      assert.ok(text.includes(`\`${classes.get(code)}\``), code);
      assert.match(text, /^\*\*Do:\*\* [A-Z].*\S/m, code);
    }
    for (const [name, value] of Object.entries(multibind)) {
      const isError = typeof value === "function" && value.prototype instanceof multibind.MultibindError;
      if (isError && name !== "DatabaseError") assert.ok([...classes.values()].includes(name), name);
    }
  });

  test("names every error class, and no other", async () => {
    const page = await readFile(join(root, "docs/errors.md"), "utf8");
    const named = new Set([...page.matchAll(/`(\w+Error)`/g)].map(([, name]) => name));
    const exported = Object.keys(multibind).filter((name) => name.endsWith("Error"));
    const abstract = new Set(["DatabaseError"]);
    for (const name of exported) assert.ok(named.has(name) || abstract.has(name), name);
    for (const name of named) assert.ok(exported.includes(name!), name);
  });
});
