import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, test } from "node:test";

const root = join(import.meta.dirname, "..");

/** Phrases that read as translated, each with what to write instead. */
const FORBIDDEN: readonly (readonly [phrase: RegExp, instead: string])[] = [
  [/\b(?:somebody|nobody|whoever|anybody)\b/i, "name the owner, the caller, the user or the process"],
  [/\b(?:is|are) none\b/i, 'say what is wrong: "is invalid", "does not exist"'],
  [/\b(?:is|was|are|were) to be\b/i, '"must be", "will be", or the active voice'],
  [/\bunless given\b/i, '"by default", "Defaults to …"'],
  [/\blets? go of\b/i, '"removes", "returns", "drops"'],
  [/\bin the midst\b/i, '"during", "within"'],
  [/\bgoes over\b/i, '"overrides"'],
  [/(?<!by )\bhands? on\b/i, '"passes", "returns", "inherits"'],
  // A question may begin so.
  [/(?:^|[.:|>] |\*\* |[/*#]+ +)What (?:an?|the|is|was|has)\b(?!.*\?)/, "begin with the thing itself, or with a verb"],
];

type Line = readonly [place: string, text: string];

const faultsOf = (lines: readonly Line[]): string[] => {
  const faults: string[] = [];
  for (const [place, text] of lines)
    for (const [phrase, instead] of FORBIDDEN) {
      const found = phrase.exec(text);
      if (found !== null) faults.push(`${place}: "${found[0].trim()}" (${instead}) in: ${text.trim()}`);
    }
  return faults;
};

async function linesOf(...patterns: readonly string[]): Promise<Line[]> {
  const lines: Line[] = [];
  for await (const path of glob(patterns, { cwd: root })) {
    const text = await readFile(join(root, path), "utf8");
    for (const [index, line] of text.split("\n").entries()) lines.push([`${path}:${index + 1}`, line]);
  }
  return lines;
}

describe("the language", () => {
  test("the source has no phrase that reads as translated", async () => {
    assert.deepEqual(faultsOf(await linesOf("src/**/*.ts")), []);
  });

  test("nor has the documentation", async () => {
    assert.deepEqual(faultsOf(await linesOf("README.md", "docs/*.md", "CHANGELOG.md")), []);
  });

  test("nor has the name of a test", async () => {
    const lines = await linesOf("test/**/*.test.ts");
    const names = lines.filter(([, line]) => /\b(?:test|describe|onEachFamily|suite)\(\s*[`"']/.test(line));
    assert.ok(names.length > 1_000);
    assert.deepEqual(faultsOf(names), []);
  });

  test("each phrase is found where it stands", () => {
    const samples = [
      "// Nobody waits for it.",
      "a cursor that is none",
      "a row that is to be deleted",
      "20 unless given",
      "the session lets go of it",
      "an error in the midst of a commit",
      "an option goes over the URL",
      "a base hands on its columns",
      "/** What a session needs. */",
      " * It is told. What the database has is read.",
    ];
    for (const sample of samples) assert.equal(faultsOf([["here", sample]]).length, 1, sample);
    assert.deepEqual(
      faultsOf([
        ["here", "## What is a bind?"],
        ["here", "say what a row holds"],
      ]),
      [],
    );
  });
});
