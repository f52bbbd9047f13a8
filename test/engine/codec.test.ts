import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  decodeBigint,
  decodeBinary,
  decodeBoolean,
  decodeDate,
  decodeDecimal,
  decodeFloat,
  decodeInteger,
  decodeJson,
  decodeTime,
  decodeTimestamp,
  decodeTimestampText,
  encodeTimestampTextPlain,
} from "../../src/engine/values/codec.ts";
import { instantText } from "../../src/engine/values/instant-text.ts";
import { PrecisionRefusal } from "../../src/engine/values/refusals.ts";
import { Refusal } from "../../src/schema/logical-type.ts";

const GARBAGE = ["", " ", "abc", "12abc", "0x10", "1e3", " 12 ", new Uint8Array([5]), true, {}];

test("an integer is read from a number, a bigint or decimal text", () => {
  assert.equal(decodeInteger(12), 12);
  assert.equal(decodeInteger(12n), 12);
  assert.equal(decodeInteger("-12"), -12);
});

test("what is no integer is not made one", () => {
  for (const stored of [...GARBAGE, 1.5, "1.5"]) assert.throws(() => decodeInteger(stored), Refusal, String(stored));
});

test("an integer that a number cannot hold is refused as too large", () => {
  for (const stored of [2n ** 53n, "9007199254740993", 2 ** 53, -(2n ** 63n)]) {
    assert.throws(() => decodeInteger(stored), PrecisionRefusal, String(stored));
  }
});

test("a bigint is read from a bigint, a safe number or decimal text", () => {
  assert.equal(decodeBigint(-5n), -5n);
  assert.equal(decodeBigint(5), 5n);
  assert.equal(decodeBigint("9223372036854775807"), 2n ** 63n - 1n);
});

test("what is no integer is not made a bigint", () => {
  for (const stored of [...GARBAGE, 1.5, "1.5"]) assert.throws(() => decodeBigint(stored), Refusal, String(stored));
});

test("a number that is not exact is not made a bigint", () => {
  assert.throws(() => decodeBigint(2 ** 53), PrecisionRefusal);
});

test("a floating-point number is read from a number, a safe bigint or decimal text", () => {
  assert.equal(decodeFloat(0.5), 0.5);
  assert.equal(decodeFloat(5n), 5);
  assert.equal(decodeFloat("-1.5e-7"), -1.5e-7);
  assert.equal(decodeFloat("Infinity"), Number.POSITIVE_INFINITY);
  assert.equal(decodeFloat("NaN"), Number.NaN);
});

test("what is no number is not made one", () => {
  for (const stored of ["", " ", "abc", "12abc", "0x10", new Uint8Array([5]), true, {}]) {
    assert.throws(() => decodeFloat(stored), Refusal, String(stored));
  }
});

test("an integer that a floating-point number cannot hold is refused", () => {
  assert.throws(() => decodeFloat(2n ** 53n + 1n), PrecisionRefusal);
  assert.equal(decodeFloat(2n ** 60n), 2 ** 60);
});

test("a truth value is read from a boolean, or from 0 and 1", () => {
  for (const stored of [true, 1, 1n, "1"]) assert.equal(decodeBoolean(stored), true);
  for (const stored of [false, 0, 0n, "0"]) assert.equal(decodeBoolean(stored), false);
});

test("nothing else is a truth value", () => {
  for (const stored of ["", " ", "yes", 2, -1, 0.5, new Uint8Array([1]), {}]) {
    assert.throws(() => decodeBoolean(stored), Refusal, String(stored));
  }
});

test("bytes are copied into an array of their own", () => {
  const stored = Buffer.from([1, 2, 3]);
  const read = decodeBinary(stored);
  assert.deepStrictEqual(read, new Uint8Array([1, 2, 3]));
  stored[0] = 9;
  assert.equal(read[0], 1);
  assert.equal(read.buffer.byteLength, 3);
});

test("a time of day loses zeros at the end, down to milliseconds or none", () => {
  assert.equal(decodeTime("23:59:59.500000"), "23:59:59.500");
  assert.equal(decodeTime("23:59:59.5"), "23:59:59.500");
  assert.equal(decodeTime("23:59:59.000"), "23:59:59");
});

test("a finer time of day is refused", () => {
  assert.throws(() => decodeTime("23:59:59.123456"), PrecisionRefusal);
});

test("what is no time of day is refused, a stretch of time and a time with zone included", () => {
  for (const stored of [
    "",
    "12:00",
    "24:00:00",
    "25:00:00",
    "-01:00:00",
    "838:59:59",
    "12:60:00",
    "12:00:60",
    "12:00:00+02",
    "12:00:00 pm",
    12,
  ]) {
    assert.throws(() => decodeTime(stored), Refusal, String(stored));
  }
});

test("a decimal number has the column's number of decimals", () => {
  assert.equal(decodeDecimal("12.5", 2), "12.50");
  assert.equal(decodeDecimal("12.500", 2), "12.50");
  assert.equal(decodeDecimal("-0.00", 2), "0.00");
  assert.equal(decodeDecimal(12n, 0), "12");
});

test("a decimal number with more decimals than the column is refused", () => {
  assert.throws(() => decodeDecimal("12.505", 2), PrecisionRefusal);
});

test("a floating-point number of up to 15 digits is the decimal number that was meant, however small or large", () => {
  assert.equal(decodeDecimal(1e-7, 8), "0.00000010");
  assert.equal(decodeDecimal(-1.5e-10, 12), "-0.000000000150");
  assert.equal(decodeDecimal(1e21, 0), "1000000000000000000000");
  assert.equal(decodeDecimal(1.25e22, 2), "12500000000000000000000.00");
});

test("a floating-point number of 15 digits is read as it was written", () => {
  const digits = fc.integer({ min: 1, max: 999_999_999_999_999 });
  fc.assert(
    fc.property(digits, fc.integer({ min: 0, max: 25 }), fc.boolean(), (whole, scale, negative) => {
      const padded = String(whole).padStart(scale + 1, "0");
      const text = `${negative ? "-" : ""}${padded.slice(0, padded.length - scale)}${scale === 0 ? "" : `.${padded.slice(-scale)}`}`;
      assert.equal(decodeDecimal(Number(text), scale), text);
    }),
  );
});

test("a floating-point number with more digits is refused", () => {
  assert.throws(() => decodeDecimal(0.1 + 0.2, 30), PrecisionRefusal);
});

test("what is no decimal number is refused", () => {
  for (const stored of ["", "abc", "1e3", Number.NaN, Number.POSITIVE_INFINITY, "NaN", {}, true]) {
    assert.throws(() => decodeDecimal(stored, 2), Refusal, String(stored));
  }
});

test("JSON is parsed, unless a dialect has done so", () => {
  assert.deepStrictEqual(decodeJson('{"a":[1,null]}'), { a: [1, null] });
  assert.deepStrictEqual(decodeJson({ a: 1 }), { a: 1 });
  assert.equal(decodeJson(false), false);
});

test("what is no JSON is refused", () => {
  for (const stored of ["", "{", "undefined"]) assert.throws(() => decodeJson(stored), Refusal, stored);
});

test("a date is text as the driver reads it, also where a dialect has made it a Date", () => {
  assert.equal(decodeDate("2026-01-31"), "2026-01-31");
  assert.equal(decodeDate(new Date("2026-01-31T00:00:00.000Z")), "2026-01-31");
  assert.equal(decodeDate(new Date(2026, 0, 31)), "2026-01-31");
  assert.equal(decodeDate(new Date("0001-01-01T00:00:00.000Z")), "0001-01-01");
});

test("an instant is read in UTC where it has no zone, and shifted where it has one", () => {
  const noon = new Date("2026-01-31T12:00:00.000Z");
  for (const stored of [
    "2026-01-31 12:00:00",
    "2026-01-31T12:00:00.000Z",
    "2026-01-31 12:00",
    "2026-01-31 17:30:00+05:30",
    "2026-01-31 07:00:00-05",
    "2026-01-31 12:53:28+00:53:28",
  ]) {
    assert.deepStrictEqual(decodeTimestamp(stored), noon, stored);
  }
  assert.deepStrictEqual(decodeTimestamp("2026-01-31"), new Date("2026-01-31T00:00:00.000Z"));
});

test("an instant near the ends of the calendar is read also where the server's own time is in another era", () => {
  assert.deepStrictEqual(decodeTimestamp("0001-12-31 19:03:58-04:56:02 BC"), new Date("0001-01-01T00:00:00.000Z"));
  assert.deepStrictEqual(decodeTimestamp("10000-01-01 08:59:59.999+09"), new Date("9999-12-31T23:59:59.999Z"));
  assert.equal(decodeTimestampText("0001-12-31 19:03:58-04:56:02 BC"), "0001-01-01T00:00:00Z");
});

test("an instant that is not in the calendar is refused, not shifted", () => {
  for (const stored of [
    "2026-02-29 00:00:00",
    "2026-02-31 00:00:00",
    "2026-13-01 00:00:00",
    "2026-00-10 00:00:00",
    "0000-00-00 00:00:00",
    "2026-01-31 24:00:00",
    "2026-01-31 12:60:00",
    "2026-01-31 12:00:61",
    "infinity",
    "",
    1_738_324_800,
  ]) {
    assert.throws(() => decodeTimestamp(stored), Refusal, String(stored));
    assert.throws(() => decodeTimestampText(stored), Refusal, String(stored));
  }
});

test("a finer instant is refused as a Date, and kept as text", () => {
  assert.throws(() => decodeTimestamp("2026-01-31 12:00:00.123456"), PrecisionRefusal);
  assert.equal(decodeTimestampText("2026-01-31 12:00:00.123456"), "2026-01-31T12:00:00.123456Z");
  assert.equal(decodeTimestampText("2026-01-31 12:00:00.100000+00"), "2026-01-31T12:00:00.1Z");
  assert.equal(decodeTimestampText("2026-01-31 12:00:00"), "2026-01-31T12:00:00Z");
});

test("an instant outside of the years 1 to 9999 is refused as text", () => {
  assert.throws(() => decodeTimestampText("12000-01-01 00:00:00+00"), Refusal);
  assert.throws(() => decodeTimestampText("0044-03-15 12:00:00+00 BC"), Refusal);
});

test("an instant that a dialect has made a Date is copied", () => {
  const stored = new Date("2026-01-31T12:00:00.123Z");
  const read = decodeTimestamp(stored);
  assert.deepStrictEqual(read, stored);
  assert.notEqual(read, stored);
});

test("an instant that a dialect has made a Date cannot be text, since its microseconds are lost", () => {
  assert.throws(() => decodeTimestampText(new Date()), Refusal);
});

test("an instant is written without zone and comes back", () => {
  const instants = fc.date({
    min: new Date("0001-01-01T00:00:00Z"),
    max: new Date("9999-12-31T23:59:59.999Z"),
    noInvalidDate: true,
  });
  fc.assert(
    fc.property(instants, (instant) => {
      assert.deepStrictEqual(decodeTimestamp(instantText(instant)), instant);
    }),
  );
  assert.equal(encodeTimestampTextPlain("2026-01-31T12:00:00.123456Z"), "2026-01-31 12:00:00.123456");
});
