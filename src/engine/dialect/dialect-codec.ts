import { type LogicalType, Refusal } from "../../schema/logical-type.ts";
import type { Family } from "../family.ts";
import { type Codec, decodeBigint, decodeJson, decodeParsedJson } from "../values/codec.ts";
import { PrecisionRefusal } from "../values/refusals.ts";
import type { DialectFindings } from "./dialect-findings.ts";

/** The byte order mark, which some decoders leave out at the beginning of text. */
export const MARK = "\ufeff";

/**
 * How values of a type go through a dialect. Values are read when it is known how the dialect gives them.
 *
 * @param findings what was found at the first connection
 */
export function dialectCodec(family: Family, type: LogicalType, findings: () => DialectFindings | undefined): Codec {
  const codec = family.codec(type);
  switch (type.kind) {
    case "json":
      return {
        encode: jsonEncoder(family, type, codec),
        decode: (stored) => (findings()?.json === "parsed" ? decodeParsedJson(stored) : decodeJson(stored)),
      };
    case "date":
      return { ...codec, decode: (stored) => dateOf(stored, codec, findings()?.dates) };
    case "bigint":
      return { ...codec, decode: (stored) => bigintOf(stored, findings()) };
    case "varchar":
    case "char":
    case "text":
    case "enumeration":
      return { ...codec, encode: (value: string) => unmarked(value, findings()) };
    default:
      return codec;
  }
}

function jsonEncoder({ dialects }: Family, type: LogicalType, { encode }: Codec): NonNullable<Codec["encode"]> {
  // The codec of JSON makes text of every value.
  const textOf = encode as (value: unknown) => string;
  return dialects.jsonParameter === undefined
    ? textOf
    : (value: unknown) => dialects.jsonParameter!(textOf(value), type);
}

function dateOf(stored: unknown, codec: Codec, dates: DialectFindings["dates"] | undefined): unknown {
  if (!(stored instanceof Date)) return codec.decode === undefined ? stored : codec.decode(stored);
  if (Number.isNaN(stored.getTime())) throw new Refusal("what is stored is not a date of the years 1 to 9999");
  return dateText(stored, dates === "local");
}

/** The day of a `Date` at midnight, in the zone of the process or in UTC. */
export function dateText(day: Date, isLocal: boolean): string {
  const [year, month, date] = isLocal
    ? [day.getFullYear(), day.getMonth(), day.getDate()]
    : [day.getUTCFullYear(), day.getUTCMonth(), day.getUTCDate()];
  return [String(year).padStart(4, "0"), String(month + 1).padStart(2, "0"), String(date).padStart(2, "0")].join("-");
}

function unmarked(text: string, findings: DialectFindings | undefined): string {
  if (findings?.cutsMark === true && text.startsWith(MARK))
    throw new Refusal("it begins with a byte order mark (U+FEFF), which the dialect leaves out when it reads text");
  return text;
}

function bigintOf(stored: unknown, findings: DialectFindings | undefined): bigint {
  const isInexact = typeof stored === "number" && !Number.isSafeInteger(stored) && Number.isInteger(stored);
  if (!isInexact || findings === undefined || findings.integers === "exact") return decodeBigint(stored);
  throw new PrecisionRefusal(
    `the dialect reads integers as numbers, which hold none beyond 2^53 exactly; ${findings.integers.remedy}`,
  );
}
