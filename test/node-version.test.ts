import assert from "node:assert/strict";
import { test } from "node:test";
import { requireNodeApi, requireSupportedNode } from "../src/node-version.ts";

test("Node.js 22.12 and newer can run multibind", () => {
  for (const version of ["22.12.0", "22.20.1", "23.0.0", "24.21.0", "100.0.0", "22.12.0-nightly2024"])
    requireSupportedNode(version);
});

test("an older Node.js is refused with the version that is needed", () => {
  for (const version of ["22.11.0", "22.9.9", "20.19.4", "18.0.0", "0.12.0"]) {
    assert.throws(() => requireSupportedNode(version), {
      name: "UnsupportedNodeError",
      code: "UNSUPPORTED_NODE",
      message: `multibind needs Node.js 22.12 or newer, and this is ${version}.`,
    });
  }
});

test("the Node.js that runs this is new enough", () => {
  requireSupportedNode();
});

test("a Node.js on which the addon of SQLite crashes is refused before it is loaded", () => {
  for (const versions of [
    { napi: "10", node: "22.14.0" },
    { napi: "11", node: "30.0.0" },
  ])
    requireNodeApi("the default bind", versions);
  for (const node of ["22.12.0", "22.13.1", "23.5.0"]) {
    assert.throws(() => requireNodeApi('bind "meta"', { napi: "9", node }), {
      code: "UNSUPPORTED_NODE",
      message: `better-sqlite3, which bind "meta" needs, crashes on Node.js ${node}. Use Node.js 22.14, 23.6 or newer.`,
    });
  }
});
