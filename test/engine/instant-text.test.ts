import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { instantText } from "../../src/engine/values/instant-text.ts";

/** The same by other means. */
function expected(instant: Date): string {
  const iso = instant.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

test("an instant of the years 1 to 9999 is written as it is in UTC", () => {
  const instants = fc.date({
    min: new Date("0001-01-01T00:00:00.000Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(instants, (instant) => assert.equal(instantText(instant), expected(instant))),
    { numRuns: 5_000 },
  );
});

test("every day of four hundred years is written, at its first and last moment", () => {
  const day = 86_400_000;
  for (let start = Date.UTC(1800, 0, 1); start < Date.UTC(2200, 0, 2); start += day) {
    for (const instant of [new Date(start), new Date(start + day - 1)]) {
      if (instantText(instant) !== expected(instant)) assert.equal(instantText(instant), expected(instant));
    }
  }
});

test("the first and the last instant are written", () => {
  for (const text of ["0001-01-01 00:00:00.000", "0001-03-01 00:00:00.000", "9999-12-31 23:59:59.999"]) {
    assert.equal(instantText(new Date(`${text.replace(" ", "T")}Z`)), text);
  }
});
