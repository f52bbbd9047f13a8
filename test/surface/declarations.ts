import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const root = join(import.meta.dirname, "..", "..");
const ENTRIES = ["index", "types"];

/** Where the declarations are kept that a change is compared with. */
export const SNAPSHOT = join(import.meta.dirname, "declarations.txt");

/** The declarations of all exported names, without comments and private members, by entry and file. */
export async function declarations(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "declarations-"));
  try {
    const compiler = join(root, "node_modules/typescript/bin/tsc");
    const options = ["--outDir", folder, "--emitDeclarationOnly", "--declarationMap", "false", "--sourceMap", "false"];
    await promisify(execFile)(process.execPath, [compiler, "-p", join(root, "tsconfig.build.json"), ...options]);
    const entries = await Promise.all(ENTRIES.map((entry) => declarationsOf(folder, entry)));
    return entries.join("\n");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function declarationsOf(folder: string, entry: string): Promise<string> {
  const index = await readFile(join(folder, `${entry}.d.ts`), "utf8");
  const parts = [`//// ${entry}`];
  for (const [, names, all, from] of index.matchAll(/^export (?:type )?(?:\{([^}]*)\}|(\*)) from "([^"]+)";/gm)) {
    const exported = names?.split(",").map((name) => name.trim().replace(/^type /, "")) ?? [];
    parts.push(`// ${from}`);
    if (!from!.startsWith(".")) parts.push(...exported);
    else {
      const text = await readFile(join(folder, from!.replace(/\.ts$/, ".d.ts")), "utf8");
      parts.push(...blocksOf(text).filter((block) => all === "*" || exported.includes(nameOf(block))));
    }
  }
  return `${parts.join("\n")}\n`;
}

/** The declarations of a file, each from its first line on. */
function blocksOf(text: string): readonly string[] {
  const lines = text
    .replace(/\/\*[\s\S]*?\*\//g, "")
    .split("\n")
    .filter((line) => line.trim() !== "" && !/^\s+(?:#|private )/.test(line));
  const blocks: string[] = [];
  for (const line of lines) {
    if (/^(?:export|import|declare|interface|type) /.test(line)) blocks.push(line);
    else blocks[blocks.length - 1] += `\n${line}`;
  }
  return blocks.filter((block) => nameOf(block) !== "");
}

function nameOf(block: string): string {
  return /^export (?:declare )?(?:abstract )?(?:class|interface|type|function|const) (\w+)/.exec(block)?.[1] ?? "";
}
