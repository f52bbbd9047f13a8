import type { LogicalType } from "../../schema/logical-type.ts";
import { binary } from "../../schema/types/binary.ts";
import { boolean } from "../../schema/types/boolean.ts";
import { enumerationType } from "../../schema/types/enumeration.ts";
import { float } from "../../schema/types/float.ts";
import { bigint, integer, smallint } from "../../schema/types/integer.ts";
import { json } from "../../schema/types/json.ts";
import { nativeType } from "../../schema/types/native.ts";
import { numericType } from "../../schema/types/numeric.ts";
import { text } from "../../schema/types/string.ts";
import { date, time, timestamp } from "../../schema/types/temporal.ts";
import { uuid } from "../../schema/types/uuid.ts";
import { isNow } from "../reflection/now-expression.ts";
import { limitedText, type ValueList } from "../reflection/reflected-types.ts";

const PLAIN: Readonly<Record<string, LogicalType>> = {
  smallint: smallint().definition.type,
  integer: integer().definition.type,
  bigint: bigint().definition.type,
  "double precision": float().definition.type,
  boolean: boolean().definition.type,
  "character varying": text().definition.type,
  text: text().definition.type,
  date: date().definition.type,
  json: json().definition.type,
  jsonb: json().definition.type,
  bytea: binary().definition.type,
  uuid: uuid().definition.type,
};

const WITH_LENGTH =
  /^(character varying|character|numeric|time|timestamp)(?:\((-?\d+)(?:,(-?\d+))?\))?(?: (without|with) time zone)?$/;

/** How finely PostgreSQL keeps time where a column does not say. */
const DEFAULT_PRECISION = 6;

/**
 * The logical type of a column.
 *
 * @param declared the type as `format_type` writes it
 * @param labels the values of an enumerated type
 */
export function postgresReflectedType(declared: string, labels: readonly string[] | null): LogicalType {
  if (labels !== null && labels.length > 0) return enumerationType(labels);
  const plain = PLAIN[declared];
  if (plain !== undefined) return plain;
  const [, name, first, second, zone] = WITH_LENGTH.exec(declared) ?? [];
  switch (name) {
    case "character varying":
    case "character":
      return limitedText(name === "character" ? "char" : "varchar", Number(first ?? 1), declared);
    case "numeric": {
      const [precision, scale] = [Number(first), Number(second)];
      return scale >= 0 && scale <= precision ? numericType(precision, scale) : nativeType(declared);
    }
    case "time":
      return zone === "without" && Number(first ?? DEFAULT_PRECISION) <= 3
        ? time().definition.type
        : nativeType(declared);
    case "timestamp":
      return (Number(first ?? DEFAULT_PRECISION) <= 3 ? timestamp() : timestamp({ text: true })).definition.type;
    default:
      return nativeType(declared);
  }
}

const QUOTED = "'(?:[^']|'')*'";
const CAST = /^('(?:[^']|'')*')::[\w "[\](),.]+$/;
const COUNTING = new Set(["smallint", "integer", "bigint", "numeric", "float"]);

/** The SQL of a default without what PostgreSQL adds to it, so that it means the same in another database. */
export function postgresDefault(expression: string | null, type: LogicalType): string | undefined {
  if (expression === null || /^null(::.*)?$/i.test(expression)) return undefined;
  if (type.kind === "timestamp" && isNow(expression)) return "current_timestamp";
  const literal = CAST.exec(expression)?.[1];
  if (literal === undefined) return expression;
  return COUNTING.has(type.kind) && /^'-?\d+(\.\d+)?'$/.test(literal) ? literal.slice(1, -1) : literal;
}

const COLUMN = '\\(*("(?:[^"]|"")+"|[a-z_][a-z0-9_$]*)\\)*(?:::text)?';
const VALUE = `${QUOTED}(?:::(?:character varying|text))?`;
const VALUE_LIST = new RegExp(
  `^${COLUMN} = (?:ANY \\(+ARRAY\\[(${VALUE}(?:, ${VALUE})*)\\]\\)*(?:::text\\[\\])?|(${VALUE}))\\)*$`,
);

/** Reads `column in ('a', 'b')` as PostgreSQL writes it down. */
export function postgresValueList(expression: string): ValueList | undefined {
  const [, column, several, one] = VALUE_LIST.exec(expression) ?? [];
  if (column === undefined) return undefined;
  const values = (several ?? one)!
    .match(new RegExp(QUOTED, "g"))!
    .map((quoted) => quoted.slice(1, -1).replaceAll("''", "'"));
  return { column: column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column, values };
}
