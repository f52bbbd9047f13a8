import type { LogicalType } from "../../schema/logical-type.ts";
import {
  type Codec,
  decodeBigint,
  decodeBinary,
  decodeBoolean,
  decodeDate,
  decodeDecimal,
  decodeFloat,
  decodeInteger,
  decodeParsedJson,
  decodeTime,
  decodeTimestamp,
  decodeTimestampText,
  encodeJson,
  PLAIN,
} from "../values/codec.ts";
import { instantText } from "../values/instant-text.ts";
import { postgresNative } from "./postgres-parameters.ts";

/** How PostgreSQL keeps the values of each type, as its driver reads them under multibind's settings. */
export function postgresCodec(type: LogicalType): Codec {
  switch (type.kind) {
    case "smallint":
    case "integer":
      return { decode: decodeInteger };
    case "bigint":
      return { encode: String, decode: decodeBigint };
    case "numeric":
      return { decode: (stored) => decodeDecimal(stored, type.scale ?? 0) };
    case "float":
      return { decode: decodeFloat };
    case "boolean":
      return { decode: decodeBoolean };
    case "date":
      return { decode: decodeDate };
    case "time":
      return { decode: decodeTime };
    case "timestamp":
      return type.asText === true
        ? { decode: decodeTimestampText }
        : { encode: (value: Date) => `${instantText(value, "T")}Z`, decode: decodeTimestamp };
    case "json":
      // The driver has parsed it already.
      return { encode: encodeJson, decode: decodeParsedJson };
    case "binary":
      return { decode: decodeBinary };
    case "native":
      return { encode: postgresNative };
    default:
      return PLAIN;
  }
}
