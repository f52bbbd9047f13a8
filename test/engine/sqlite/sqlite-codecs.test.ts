import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeSortable, encodeSortable } from "../../../src/engine/sqlite/sortable-decimal.ts";
import { sqliteCodec } from "../../../src/engine/sqlite/sqlite-codecs.ts";
import { Refusal } from "../../../src/schema/logical-type.ts";
import { numericType } from "../../../src/schema/types/numeric.ts";
import { decimals } from "../../schema/value-cases.ts";

const sizes = fc
  .integer({ min: 1, max: 65 })
  .chain((precision) => fc.tuple(fc.constant(precision), fc.integer({ min: 0, max: Math.min(precision, 30) })));

test("sortable text gives back the decimal number", () => {
  fc.assert(
    fc.property(
      sizes.chain(([precision, scale]) =>
        fc.tuple(fc.constant(precision), fc.constant(scale), decimals(precision, scale)),
      ),
      ([, scale, value]) => {
        assert.equal(decodeSortable(encodeSortable(value), scale), value);
      },
    ),
  );
});

test("sortable text sorts as the numbers do", () => {
  fc.assert(
    fc.property(
      sizes.chain(([precision, scale]) =>
        fc.tuple(fc.constant(precision), fc.constant(scale), decimals(precision, scale), decimals(precision, scale)),
      ),
      ([, , one, other]) => {
        const [a, b] = [encodeSortable(one), encodeSortable(other)];
        const [x, y] = [BigInt(one.replace(".", "")), BigInt(other.replace(".", ""))];
        assert.equal(Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))), x < y ? -1 : x > y ? 1 : 0);
      },
    ),
  );
});

test("a decimal number that another program stored as plain text or as a number is read as what it says", () => {
  assert.equal(decodeSortable("12.5", 2), "12.50");
  assert.equal(decodeSortable("-12.5", 2), "-12.50");
  assert.equal(decodeSortable("007", 2), "7.00");
  assert.equal(decodeSortable(12.5, 2), "12.50");
  assert.equal(decodeSortable(-3n, 2), "-3.00");
  assert.throws(() => decodeSortable("!", 2), Refusal);
  assert.throws(() => decodeSortable("abc", 2), Refusal);
});

const declared = sqliteCodec(numericType(30, 15, "DECIMAL(30, 15)"));
const write = (value: string) => declared.encode!(value as never);

test("a column declared as a number elsewhere takes up to 15 digits, zeros around them not counted", () => {
  for (const value of [
    "0.000000000000001",
    "-0.000000000000001",
    "-0.000000000000010",
    "100000000000000.000000000000000",
    "123456789012345.000000000000000",
  ]) {
    assert.equal(write(value), value);
  }
});

test("a column declared as a number elsewhere refuses more than 15 digits", () => {
  for (const value of ["123456789012345.100000000000000", "-1.123456789012345", "1.000000000000001"]) {
    assert.throws(() => write(value), Refusal, value);
  }
});
