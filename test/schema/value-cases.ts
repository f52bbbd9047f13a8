import fc from "fast-check";
import {
  type AnyColumn,
  bigint,
  binary,
  boolean,
  char,
  date,
  enumeration,
  type FamilyName,
  float,
  integer,
  json,
  numeric,
  smallint,
  text,
  time,
  timestamp,
  uuid,
  varchar,
} from "../../src/index.ts";

/** A kind of column with the canonical values that it may hold. */
export interface ValueCase {
  readonly name: string;
  readonly column: AnyColumn;
  /** Canonical values; `family` is the database that has to keep them. */
  values(family: FamilyName): fc.Arbitrary<unknown>;
  /** Whether equality in SQL is equality of the values. JSON may be written in many ways, and is not compared. */
  readonly comparable?: false;
}

const FIRST_INSTANT = Date.parse("0001-01-01T00:00:00.000Z");
const LAST_INSTANT = Date.parse("9999-12-31T23:59:59.999Z");

/** Text with everything that quoting, encoding and collations could get wrong. */
export function texts(maxLength: number): fc.Arbitrary<string> {
  const odd = [
    "'",
    '"',
    "\\",
    "`",
    "%",
    "_",
    "\n",
    "\r",
    "\t",
    "$1",
    "?",
    ":a",
    "é",
    "e\u0301",
    "ß",
    "İ",
    "ſ",
    "😀",
    "👩‍👩‍👧",
    "\u{10ffff}",
    "\ufeff",
    " ",
  ];
  const unit = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...odd) },
    { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
    { weight: 1, arbitrary: fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }) },
  );
  return fc
    .array(unit, { maxLength })
    .map((units) => [...units.join("").replaceAll("\0", "")].slice(0, maxLength).join(""));
}

/** Canonical decimals of a precision and scale. */
export function decimals(precision: number, scale: number): fc.Arbitrary<string> {
  const digits = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: precision });
  const nines = fc.constant(Array.from({ length: precision }, () => 9));
  return fc
    .tuple(fc.boolean(), fc.oneof({ weight: 8, arbitrary: digits }, { weight: 1, arbitrary: nines }))
    .map(([negative, given]) => {
      const all = given.join("").padStart(precision, "0");
      const whole = all.slice(0, precision - scale).replace(/^0+(?=\d)/, "") || "0";
      const canonical = scale === 0 ? whole : `${whole}.${all.slice(precision - scale)}`;
      return negative && /[1-9]/.test(canonical) ? `-${canonical}` : canonical;
    });
}

const instants = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: FIRST_INSTANT, max: LAST_INSTANT }) },
  { weight: 1, arbitrary: fc.constantFrom(FIRST_INSTANT, LAST_INSTANT, 0, -1, Date.parse("2024-02-29T23:59:59.999Z")) },
);

const floats = (family: FamilyName) =>
  fc
    .oneof(
      { weight: 8, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: family === "mysql" }) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          5e-324,
          -5e-324,
          2.2250738585072014e-308,
          Number.MAX_VALUE,
          -Number.MAX_VALUE,
          0.1,
          2 ** 53 + 2,
        ),
      },
    )
    .map((value) => value + 0);

const MEMBERS = [
  "a",
  "A",
  "ä",
  "it's",
  'say "x"',
  "back\\slash",
  "100%",
  "😀",
  "a b",
  "x".repeat(200),
  "line\nbreak",
  "$1 ? :x",
  "--",
  "null",
] as const;

const numerics = (
  [
    [1, 0],
    [10, 2],
    [18, 18],
    [38, 10],
    [65, 0],
    [65, 30],
    [30, 30],
  ] as const
).map(
  ([precision, scale]): ValueCase => ({
    name: `numeric(${precision}, ${scale})`,
    column: numeric(precision, scale),
    values: () => decimals(precision, scale),
  }),
);

export const VALUE_CASES: readonly ValueCase[] = [
  { name: "integer", column: integer(), values: () => fc.integer() },
  { name: "smallint", column: smallint(), values: () => fc.integer({ min: -32768, max: 32767 }) },
  { name: "bigint", column: bigint(), values: () => fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  ...numerics,
  { name: "float", column: float(), values: floats },
  { name: "boolean", column: boolean(), values: () => fc.boolean() },
  { name: "varchar", column: varchar(40), values: () => texts(40) },
  { name: "char", column: char(20), values: () => texts(20) },
  { name: "text", column: text(), values: () => texts(200) },
  {
    name: "date",
    column: date(),
    values: () => instants.map((instant) => new Date(instant).toISOString().slice(0, 10)),
  },
  {
    name: "time",
    column: time(),
    values: () =>
      fc.integer({ min: 0, max: 86_399_999 }).map((ms) => new Date(ms).toISOString().slice(11, 23).replace(".000", "")),
  },
  { name: "timestamp", column: timestamp(), values: () => instants.map((instant) => new Date(instant)) },
  {
    name: "timestamp as text",
    column: timestamp({ text: true }),
    values: () =>
      fc.tuple(instants, fc.integer({ min: 0, max: 999_999 })).map(([instant, micros]) => {
        const fraction = String(micros).padStart(6, "0").replace(/0+$/, "");
        return `${new Date(instant).toISOString().slice(0, 19)}${fraction === "" ? "" : `.${fraction}`}Z`;
      }),
  },
  {
    name: "json",
    column: json(),
    values: () =>
      fc
        .jsonValue({ stringUnit: texts(1).filter((one) => one !== ""), maxDepth: 6 })
        .filter((value) => value !== null)
        .map((value) => JSON.parse(JSON.stringify(value)) as unknown),
    comparable: false,
  },
  { name: "binary", column: binary(), values: () => fc.uint8Array({ maxLength: 300 }) },
  { name: "uuid", column: uuid(), values: () => fc.uuid() },
  { name: "enumeration", column: enumeration(MEMBERS), values: () => fc.constantFrom(...MEMBERS) },
];
