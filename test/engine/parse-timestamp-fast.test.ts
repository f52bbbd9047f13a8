import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseTimestampFast } from "../../src/engine/values/parse-timestamp-fast.ts";

const instants = fc.date({
  min: new Date("0001-01-01T00:00:00.000Z"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

/** The forms in which databases give an instant. */
function formsOf(instant: Date): string[] {
  const iso = instant.toISOString();
  const text = `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
  return [text, iso.slice(0, 23), `${text}+00`];
}

test("an instant in the usual form is read as it was written, or left to others", () => {
  fc.assert(
    fc.property(instants, (instant) => {
      for (const text of formsOf(instant)) {
        const read = parseTimestampFast(text);
        // Leap days are left to others.
        if (Number.isNaN(read)) assert.ok(text.includes("-02-29"), text);
        else assert.equal(read, instant.getTime(), text);
      }
    }),
  );
});

test("no month is longer than it is", () => {
  for (let month = 1; month <= 12; month++) {
    const last = new Date(Date.UTC(2026, month, 0)).toISOString().slice(0, 10);
    assert.equal(parseTimestampFast(`${last} 00:00:00`), Date.parse(last));
    const next = `${last.slice(0, 8)}${Number(last.slice(8)) + 1}`;
    assert.ok(Number.isNaN(parseTimestampFast(`${next} 00:00:00`)), next);
  }
});

test("zeros at the end of the fraction may be left out", () => {
  const second = Date.UTC(2026, 0, 31 - 3, 12, 0, 0);
  assert.equal(parseTimestampFast("2026-01-28 12:00:00"), second);
  assert.equal(parseTimestampFast("2026-01-28 12:00:00.5"), second + 500);
  assert.equal(parseTimestampFast("2026-01-28 12:00:00.05+00"), second + 50);
});

test("text that is nearly an instant is read as Date does, or not at all", () => {
  const character = fc.constantFrom(..."0123456789 T:.-+/a;");
  fc.assert(
    fc.property(instants, fc.nat(25), character, fc.boolean(), (instant, place, other, isLonger) => {
      for (const text of formsOf(instant)) {
        const changed = text.slice(0, place) + other + text.slice(isLonger ? place : place + 1);
        const read = parseTimestampFast(changed);
        if (Number.isNaN(read)) continue;
        const [, digits] = /^(.*?)(?:\+00)?$/.exec(changed)!;
        assert.equal(read, new Date(`${digits!.replace(" ", "T")}Z`).getTime(), changed);
      }
    }),
    { numRuns: 2000 },
  );
});
