import type { LogicalType } from "../../schema/logical-type.ts";
import { binary, declaredBinary } from "../../schema/types/binary.ts";
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

/** The collation that columns of text get here where they ask for none. */
const EXACT = "utf8mb4_bin";
const QUOTED = "'(?:[^'\\\\]|''|\\\\.)*'";
const TYPE = /^(\w+(?: precision)?)(?:\((.*)\))?((?: unsigned| zerofill)*)$/s;

/** The zero date, which MySQL and MariaDB store where their mode allows it. */
const ZERO_DATE = /^'?0000-00-00/;

/** Whether the default of a column is the zero date, so that its values may be no dates. */
export function isZeroDate(value: string | null): boolean {
  return value !== null && ZERO_DATE.test(value);
}

/**
 * The logical type of a column.
 *
 * @param declared the type as `information_schema` writes it in `column_type`
 * @param collation the collation of a column of text
 */
export function mysqlReflectedType(declared: string, collation: string | null): LogicalType {
  const [, name = "", details = "", modifiers = ""] = TYPE.exec(declared) ?? [];
  const unsigned = modifiers.includes("unsigned");
  switch (name) {
    case "tinyint":
      return (declared === "tinyint(1)" ? boolean() : smallint()).definition.type;
    case "smallint":
      return (unsigned ? integer() : smallint()).definition.type;
    case "mediumint":
      return integer().definition.type;
    case "int":
      return (unsigned ? bigint() : integer()).definition.type;
    case "bigint":
      return bigint().definition.type;
    case "decimal": {
      const [precision, scale] = details.split(",").map(Number);
      return numericType(precision!, scale!);
    }
    case "double":
      return details === "" ? float().definition.type : nativeType(declared);
    case "char":
      if (details === "36" && collation === "ascii_bin") return uuid().definition.type;
      return limitedText("char", Number(details), declared, textOptions(collation));
    case "varchar":
      return limitedText("varchar", Number(details), declared, textOptions(collation));
    case "tinytext":
    case "text":
    case "mediumtext":
    case "longtext":
      return text(textOptions(collation)).definition.type;
    case "enum":
      return enumerationType(texts(details));
    case "date":
      return date().definition.type;
    case "time":
      return Number(details) <= 3 ? time().definition.type : nativeType(declared);
    case "datetime":
    case "timestamp":
      return (Number(details) <= 3 ? timestamp() : timestamp({ text: true })).definition.type;
    case "json":
      return json().definition.type;
    case "binary":
      return declaredBinary(declared, Number(details));
    case "varbinary":
    case "tinyblob":
    case "blob":
    case "mediumblob":
      return declaredBinary(declared);
    case "longblob":
      return binary().definition.type;
    case "uuid":
      return uuid().definition.type;
    default:
      return nativeType(declared);
  }
}

function textOptions(collation: string | null): { readonly mysqlCollation?: string } {
  return collation === null || collation === EXACT ? {} : { mysqlCollation: collation };
}

function texts(list: string): string[] {
  return (list.match(new RegExp(QUOTED, "gs")) ?? []).map((quoted) =>
    quoted
      .slice(1, -1)
      .replace(/''|\\(.)/gs, (written, character?: string) => (character === undefined ? written.slice(1) : character)),
  );
}

const VALUE = `(?:_\\w+)?${QUOTED}`;
const VALUE_LIST = new RegExp(
  `^\\(?\`((?:[^\`]|\`\`)+)\` (?:in \\((${VALUE}(?:,\\s*${VALUE})*)\\)|= (${VALUE}))\\)?$`,
  "s",
);

/** Reads `column in ('a', 'b')` as MySQL and MariaDB write it down. */
export function mysqlValueList(expression: string): ValueList | undefined {
  const [, column, several, one] = VALUE_LIST.exec(expression) ?? [];
  return column === undefined ? undefined : { column: column.replaceAll("``", "`"), values: texts((several ?? one)!) };
}

const NUMBERS = /^(?:tinyint|smallint|mediumint|int|bigint|decimal|double|float|bit|year)\b/;

/** What `information_schema` says of a default. */
export interface MysqlDefault {
  readonly default: string | null;
  readonly declared: string;
  readonly extra: string;
  readonly isMariadb: boolean;
}

/** The SQL of a default. MariaDB keeps SQL; MySQL keeps the value itself, or marked SQL with its quotes escaped. */
export function mysqlDefault(
  { default: value, declared, extra, isMariadb }: MysqlDefault,
  type: LogicalType,
): string | undefined {
  if (value === null || (isMariadb && value === "NULL")) return undefined;
  if (type.kind === "timestamp" && isNow(value)) return "current_timestamp";
  if (type.kind === "boolean" && /^[01]$/.test(value)) return value === "1" ? "true" : "false";
  if (isMariadb) return value;
  if (/DEFAULT_GENERATED/i.test(extra)) return unescaped(value);
  return NUMBERS.test(declared) ? value : `'${value.replace(/[\\']/g, (character) => character + character)}'`;
}

/** An expression as MySQL keeps it, with a backslash before each quote. */
export function unescaped(expression: string): string {
  return expression.replaceAll("\\'", "'");
}
