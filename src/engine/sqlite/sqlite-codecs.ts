import { type LogicalType, Refusal } from "../../schema/logical-type.ts";
import {
  type Codec,
  decodeBigint,
  decodeBinary,
  decodeBoolean,
  decodeDecimal,
  decodeFloat,
  decodeInteger,
  decodeJson,
  decodeTime,
  decodeTimestamp,
  decodeTimestampText,
  encodeJson,
  PLAIN,
} from "../values/codec.ts";
import { instantText } from "../values/instant-text.ts";
import { decodeSortable, encodeSortable } from "./sortable-decimal.ts";
import { encodeInstantText } from "./sqlite-instants.ts";
import { sqliteParameter } from "./sqlite-parameters.ts";

/** How SQLite keeps the values of each type. */
export function sqliteCodec(type: LogicalType): Codec {
  switch (type.kind) {
    case "smallint":
    case "integer":
      return { decode: decodeInteger };
    case "bigint":
      return { decode: decodeBigint };
    case "numeric":
      return numericCodec(type);
    case "float":
      return { decode: decodeFloat };
    case "boolean":
      return { encode: Number, decode: decodeBoolean };
    case "time":
      return { decode: decodeTime };
    case "timestamp":
      return type.asText === true
        ? { encode: encodeInstantText, decode: decodeTimestampText }
        : { encode: instantText, decode: decodeTimestamp };
    case "json":
      return { encode: encodeJson, decode: decodeJson };
    case "binary":
      return { decode: decodeBinary };
    case "native":
      return { encode: sqliteParameter };
    default:
      return PLAIN;
  }
}

function numericCodec({ scale = 0, declared }: LogicalType): Codec {
  // An existing column declared as a number keeps numbers; only tables made here keep sortable text.
  if (declared !== undefined) return { encode: checkDigits, decode: (stored) => decodeDecimal(stored, scale) };
  return {
    encode: encodeSortable,
    decode: (stored) => decodeSortable(stored, scale),
  };
}

function checkDigits(value: string): string {
  const digits = value.replace(/[-.]/g, "").replace(/^0+/, "").replace(/0+$/, "");
  if (digits.length <= 15) return value;
  throw new Refusal("the column was declared as a number outside of multibind, and SQLite keeps only 15 digits there");
}
