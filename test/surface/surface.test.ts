import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { declarations, SNAPSHOT } from "./declarations.ts";

test("the declarations are those that were reviewed: after a wanted change run `npm run surface`", async () => {
  const [seen, reviewed] = [await declarations(), await readFile(SNAPSHOT, "utf8")];
  const known = new Set(reviewed.split("\n"));
  const now = new Set(seen.split("\n"));
  assert.deepEqual(
    { gone: [...known].filter((line) => !now.has(line)), added: [...now].filter((line) => !known.has(line)) },
    { gone: [], added: [] },
  );
  assert.ok(seen === reviewed, "The order of declarations has changed: run `npm run surface`.");
});
