import { Fields } from "../read/fields.ts";
import { FormatError, type Json, memberOf } from "../read/json.ts";
import { keyOf } from "../read/keys.ts";

/** A column as a case describes it. */
export interface ColumnItem {
  readonly name: string;
  readonly type: "int" | "str";
  readonly key: boolean;
  readonly nullable: boolean;
  readonly unique: boolean;
  readonly index: boolean;
  /** The default value, where there is one. */
  readonly default: Json | undefined;
  readonly check: { readonly condition: string; readonly name: string | undefined } | undefined;
  /** What the column refers to: by name, or by the column object. */
  readonly reference:
    | { readonly by: "name" | "object"; readonly target: string; readonly deferred: boolean }
    | undefined;
}

/** Which metadata an item asks for. */
export interface MetadataItem {
  /** The bind that it stands for. */
  readonly bind: string | null;
  /** The case's name for a metadata object that it makes itself. */
  readonly own: string | undefined;
}

interface CommonItem {
  readonly columns: readonly ColumnItem[];
  /** `undefined` where nothing is said. */
  readonly bind: string | null | undefined;
  readonly metadata: MetadataItem | undefined;
}

/** A class as a case describes it. */
export interface ModelItem extends CommonItem {
  readonly kind: "model";
  readonly name: string;
  readonly role: "model" | "abstract";
  readonly bases: readonly string[];
  /** `undefined` where nothing is said, null where it is said to have none. */
  readonly tablename: string | null | undefined;
  /** The table that the class is mapped to, where that is given. */
  readonly table: string | undefined;
  readonly discriminator: string | undefined;
  readonly identity: string | undefined;
  readonly concrete: boolean;
  readonly hasRelationships: boolean;
  readonly schema: string | undefined;
}

/** A table without a class as a case describes it. */
export interface TableItem extends CommonItem {
  readonly kind: "table";
  readonly name: string;
  /** What statements call it. */
  readonly handle: string;
}

export type SchemaItem = ModelItem | TableItem;

/** Reads a schema item. @throws {FormatError} on what this runner does not know */
export function readItem(value: Json): SchemaItem {
  return memberOf(value, "table_def") === undefined ? readModel(value) : readTable(value);
}

function readModel(value: Json): ModelItem {
  const fields = new Fields(value, "a model");
  const name = fields.text("model");
  const polymorphic = new Fields(fields.object("polymorphic"), `${name}.polymorphic`);
  const tableArgs = new Fields(fields.object("table_args"), `${name}.table_args`);
  const item: ModelItem = {
    kind: "model",
    name,
    role: fields.flag("abstract") ? "abstract" : "model",
    bases: fields.has("bases") ? fields.texts("bases") : ["Model"],
    tablename: fields.has("tablename") ? (fields.json("tablename") as string | null) : undefined,
    table: readMappedTable(fields.json("table"), name),
    discriminator: polymorphic.optionalText("on"),
    identity: polymorphic.optionalText("identity"),
    concrete: polymorphic.flag("concrete"),
    hasRelationships: fields.list("relationships").length > 0,
    schema: tableArgs.optionalText("schema"),
    ...readCommon(fields, name),
  };
  polymorphic.end();
  tableArgs.end();
  fields.end();
  return item;
}

/** A table that is in the metadata already, or one that is described as being there. */
function readMappedTable(value: Json | undefined, model: string): string | undefined {
  if (value === undefined || typeof value === "string") return value;
  const fields = new Fields(value, `${model}.table`);
  const name = fields.text("name");
  if (!fields.flag("extend_existing") || fields.list("columns").length > 0) {
    throw new FormatError(`${model}.table describes a table of its own, which this runner does not know`);
  }
  fields.ignore("metadata");
  fields.end();
  return name;
}

function readTable(value: Json): TableItem {
  const fields = new Fields(value, "a table");
  const name = fields.text("table_def");
  const item: TableItem = {
    kind: "table",
    name,
    handle: fields.optionalText("handle") ?? name,
    ...readCommon(fields, name),
  };
  // A table made past the extension, and one that may be there already, are made as any other here.
  fields.ignore("plain", "extend_existing");
  fields.end();
  return item;
}

function readCommon(fields: Fields, where: string): CommonItem {
  return {
    columns: fields.list("columns").map((column) => readColumn(column, where)),
    bind: fields.has("bind") ? (fields.json("bind") as string | null) : undefined,
    metadata: readMetadata(fields.json("metadata"), where),
  };
}

function readMetadata(value: Json | undefined, where: string): MetadataItem | undefined {
  if (value === undefined) return undefined;
  const fields = new Fields(value, `${where}.metadata`);
  const existing = fields.optionalText("existing");
  const own = fields.optionalText("new");
  const info = fields.optionalText("info_bind");
  fields.end();
  if ((existing === undefined) === (own === undefined))
    throw new FormatError(`${where}.metadata is neither an existing nor a new one`);
  if (existing !== undefined) return { bind: keyOf(existing), own: undefined };
  return { bind: info === undefined ? null : keyOf(info), own };
}

function readColumn(value: Json, where: string): ColumnItem {
  const fields = new Fields(value, `a column of ${where}`);
  const type = fields.optionalText("type") ?? "int";
  if (type !== "int" && type !== "str") throw new FormatError(`a column of ${where} has the type ${type}`);
  const key = fields.flag("pk");
  const byName = fields.optionalText("fk");
  const byObject = fields.optionalText("fk_obj");
  const target = byName ?? byObject;
  const deferred = fields.flag("deferred");
  const condition = fields.optionalText("check");
  const column: ColumnItem = {
    name: fields.text("name"),
    type,
    key,
    nullable: fields.flag("nullable", !key),
    unique: fields.flag("unique"),
    index: fields.flag("index"),
    default: fields.json("default"),
    check: condition === undefined ? undefined : { condition, name: fields.optionalText("check_name") },
    reference: target === undefined ? undefined : { by: byName === undefined ? "object" : "name", target, deferred },
  };
  fields.end();
  return column;
}
