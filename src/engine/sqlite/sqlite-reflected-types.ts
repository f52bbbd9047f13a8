import type { LogicalType } from "../../schema/logical-type.ts";
import { binary } from "../../schema/types/binary.ts";
import { boolean } from "../../schema/types/boolean.ts";
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
import { decodeSortable, plainDecimal } from "./sortable-decimal.ts";
import { SQLITE_NOW } from "./sqlite-instants.ts";

const TYPES = {
  smallint: smallint().definition.type,
  integer: integer().definition.type,
  bigint: bigint().definition.type,
  float: float().definition.type,
  boolean: boolean().definition.type,
  text: text().definition.type,
  date: date().definition.type,
  time: time().definition.type,
  timestamp: timestamp().definition.type,
  timestampText: timestamp({ text: true }).definition.type,
  json: json().definition.type,
  binary: binary().definition.type,
  uuid: uuid().definition.type,
} satisfies Record<string, LogicalType>;

/** The names that `createAll` declares, and those that other programs use for the same. */
const BY_NAME: Readonly<Record<string, LogicalType>> = {
  tinyint: TYPES.smallint,
  smallint: TYPES.smallint,
  int2: TYPES.smallint,
  int: TYPES.integer,
  int4: TYPES.integer,
  integer: TYPES.integer,
  mediumint: TYPES.integer,
  bigint: TYPES.bigint,
  int8: TYPES.bigint,
  "unsigned big int": TYPES.bigint,
  "bigint unsigned": TYPES.bigint,
  "int unsigned": TYPES.bigint,
  "integer unsigned": TYPES.bigint,
  real: TYPES.float,
  float: TYPES.float,
  double: TYPES.float,
  "double precision": TYPES.float,
  boolean: TYPES.boolean,
  bool: TYPES.boolean,
  text: TYPES.text,
  clob: TYPES.text,
  varchar: TYPES.text,
  date: TYPES.date,
  time: TYPES.time,
  timestamp: TYPES.timestamp,
  timestamp_text: TYPES.timestampText,
  // Other programs write microseconds there.
  datetime: TYPES.timestampText,
  json: TYPES.json,
  json_text: TYPES.json,
  blob: TYPES.binary,
  uuid: TYPES.uuid,
  uuid_text: TYPES.uuid,
};

const CHARACTERS: Readonly<Record<string, "varchar" | "char">> = {
  varchar: "varchar",
  nvarchar: "varchar",
  "character varying": "varchar",
  "varying character": "varchar",
  char: "char",
  nchar: "char",
  character: "char",
  "native character": "char",
};

const DECLARED = /^([a-z_][a-z0-9_ ]*?)(?: ?\( ?(\d+) ?(?:, ?(\d+) ?)?\))?( unsigned)?$/;

/** The logical type of a column, by its declared type. SQLite itself takes any name. */
export function sqliteReflectedType(declared: string): LogicalType {
  const [, word = "", first, second, unsigned = ""] =
    DECLARED.exec(declared.toLowerCase().replace(/\s+/g, " ").trim()) ?? [];
  const name = word + unsigned;
  if (first !== undefined) {
    const characters = CHARACTERS[name];
    if (characters !== undefined) return limitedText(characters, Number(first), declared);
    const [precision, scale] = [Number(first), Number(second ?? 0)];
    const valid = precision > 0 && scale <= precision;
    if (name === "decimal_text" && valid) return numericType(precision, scale);
    if ((name === "numeric" || name === "decimal") && valid) return numericType(precision, scale, declared);
    if (name === "timestamp" && precision > 3) return TYPES.timestampText;
    if (!/int|bool|real|floa|doub|date|time/.test(name)) return nativeType(declared);
  }
  return BY_NAME[name] ?? nativeType(declared);
}

const QUOTED = "'(?:[^']|'')*'";

/** The SQL of a default, such that it may stand in parentheses and means the same in another database. */
export function sqliteDefault(expression: string | null, type: LogicalType): string | undefined {
  if (expression === null || /^null$/i.test(expression)) return undefined;
  const isPresent = isNow(expression) || squeezed(expression) === squeezed(SQLITE_NOW);
  if (type.kind === "timestamp" && isPresent) return "current_timestamp";
  if (type.kind === "boolean" && /^[01]$/.test(expression)) return expression === "1" ? "true" : "false";
  const stored = type.kind === "numeric" && type.declared === undefined ? /^'(.+)'$/.exec(expression)?.[1] : undefined;
  if (stored !== undefined && plainDecimal(stored) !== undefined) return decodeSortable(stored, type.scale!);
  // SQLite takes a text in double quotes for a default, but not in parentheses.
  const quoted = /^"((?:[^"]|"")*)"$/.exec(expression)?.[1];
  return quoted === undefined ? expression : `'${quoted.replaceAll('""', '"').replaceAll("'", "''")}'`;
}

function squeezed(sql: string): string {
  return sql.toLowerCase().replace(/\s*,\s*/g, ",");
}

const VALUE_LIST = new RegExp(`^("(?:[^"]|"")+"|[a-z_]\\w*) in \\((${QUOTED}(?:, ?${QUOTED})*)\\)$`, "i");

/** Reads `column in ('a', 'b')` as `createAll` writes it. */
export function sqliteValueList(expression: string): ValueList | undefined {
  const [, column, list] = VALUE_LIST.exec(expression) ?? [];
  if (column === undefined) return undefined;
  return {
    column: column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column,
    values: list!.match(new RegExp(QUOTED, "g"))!.map((quoted) => quoted.slice(1, -1).replaceAll("''", "'")),
  };
}
