import { type LogicalType, Refusal } from "../../schema/logical-type.ts";
import {
  type Codec,
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
  encodeJson,
  encodeTimestampTextPlain,
  PLAIN,
} from "../values/codec.ts";
import { instantText } from "../values/instant-text.ts";
import { mysqlParameter } from "./mysql-parameters.ts";

/** How MySQL and MariaDB keep the values of each type, as the driver reads them under multibind's settings. */
export function mysqlCodec(type: LogicalType): Codec {
  switch (type.kind) {
    case "smallint":
    case "integer":
      return { decode: decodeInteger };
    case "bigint":
      return { decode: decodeBigint };
    case "numeric":
      return { decode: (stored) => decodeDecimal(stored, type.scale ?? 0) };
    case "float":
      return { encode: finite, decode: decodeFloat };
    case "boolean":
      return { encode: Number, decode: decodeBoolean };
    case "date":
      return { decode: decodeDate };
    case "time":
      return { decode: decodeTime };
    case "timestamp":
      return type.asText === true
        ? { encode: encodeTimestampTextPlain, decode: decodeTimestampText }
        : { encode: instantText, decode: decodeTimestamp };
    case "json":
      return { encode: encodeJson, decode: decodeJson };
    case "binary":
      return {
        encode: (value: Uint8Array) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
        decode: decodeBinary,
      };
    case "native":
      return { encode: /^set\b/i.test(type.declared!) ? encodeSet : mysqlParameter };
    default:
      return PLAIN;
  }
}

/** The driver reads a `set` as a list. */
function encodeSet(value: unknown): unknown {
  return Array.isArray(value) ? value.join(",") : mysqlParameter(value);
}

function finite(value: number): number {
  if (Number.isFinite(value)) return value;
  throw new Refusal("MySQL and MariaDB have no infinite numbers");
}
