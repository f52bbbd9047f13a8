import assert from "node:assert/strict";
import { test } from "node:test";
import { milliseconds, timeout } from "../../src/engine/options/duration.ts";

test("a number is seconds, fractions allowed", () => {
  assert.equal(milliseconds(30, "t"), 30_000);
  assert.equal(milliseconds(0.25, "t"), 250);
  assert.equal(milliseconds(0, "t"), 0);
});

test("text has a unit, or is seconds without one", () => {
  for (const [text, expected] of [
    ["500ms", 500],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["1d", 86_400_000],
    ["1.5h", 5_400_000],
    ["30", 30_000],
    ["0.5", 500],
    [" 10 s ", 10_000],
  ] as const) {
    assert.equal(milliseconds(text, "t"), expected, text);
  }
});

test("what is no stretch of time is refused by the option's name", () => {
  for (const value of [
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    "",
    "soon",
    "-1s",
    "1w",
    "1 year",
    "1e3",
    "5ms6",
    null,
    undefined,
    true,
    5n,
    {},
    [5],
  ]) {
    assert.throws(
      () => milliseconds(value, "poolTimeout"),
      { name: "InvalidOptionError", message: /^poolTimeout is a time in seconds/ },
      String(value),
    );
  }
});

test("a timeout of an hour is taken, and more is refused as probable milliseconds", () => {
  assert.equal(timeout(3600, "t"), 3_600_000);
  assert.equal(timeout("1h", "t"), 3_600_000);
  for (const value of [3601, 5000, 30_000, "2h", "3601"]) {
    assert.throws(
      () => timeout(value, "poolTimeout"),
      { name: "InvalidOptionError", message: /^poolTimeout is \d+ seconds.*milliseconds/ },
      String(value),
    );
  }
  assert.throws(() => timeout(5000, "t"), { message: /"5000ms"/ });
});
