import {
  type AnyColumn,
  type AnyModel,
  type AnyTable,
  type BindKey,
  type Column,
  type Columns,
  type Entity,
  integer,
  type Multibind,
  sql,
  text,
} from "../../../src/index.ts";
import { FormatError, type Json } from "../read/json.ts";
import { type ModelFacts, SchemaFacts, type TableFacts } from "./facts.ts";
import type { ColumnItem } from "./items.ts";

/** A class that multibind has made, or one that extends it, whatever its columns. */
export type LooseClass = (abstract new (
  values?: object,
) => Entity) & {
  extend(...given: readonly unknown[]): LooseClass;
  extendAbstract(...given: readonly unknown[]): LooseClass;
};

/** What became of a description. */
export type Defined =
  | { readonly kind: "abstract"; readonly name: string; readonly base: LooseClass; readonly facts: ModelFacts }
  | { readonly kind: "model"; readonly name: string; readonly model: AnyModel; readonly facts: ModelFacts }
  | { readonly kind: "table"; readonly name: string; readonly table: AnyTable; readonly facts: TableFacts };

/** Makes the classes and tables of a case with multibind's API. */
export class SchemaBuilder {
  readonly facts: SchemaFacts;
  readonly #db: Multibind;
  readonly #classes = new Map<string, LooseClass>();
  readonly #tables = new Map<string, AnyTable>();

  constructor(db: Multibind, facts: SchemaFacts = new SchemaFacts()) {
    this.#db = db;
    this.facts = facts;
  }

  /** Makes what a schema item describes; throws what the library throws. */
  define(item: Json): Defined {
    const facts = this.facts.add(item);
    if (facts.item.kind === "table") return this.#defineTable(facts as TableFacts);
    return this.#defineModel(facts as ModelFacts);
  }

  /** The class of a model. @throws {FormatError} if there is none */
  model(name: string): AnyModel {
    const model = this.findModel(name);
    if (model === undefined) throw new FormatError(`the case has no model ${name}`);
    return model;
  }

  /** The class of a model or abstract base, where there is one. */
  findModel(name: string): AnyModel | undefined {
    return this.#classes.get(name) as AnyModel | undefined;
  }

  /** The table that `#name` stands for. @throws {FormatError} if there is none */
  table(handle: string): AnyTable {
    const table = this.#tables.get(handle) ?? this.findModel(handle)?.table;
    if (table === undefined) throw new FormatError(`the case has no table #${handle}`);
    return table;
  }

  #defineTable(facts: TableFacts): Defined {
    const { name, handle, columns } = facts.item;
    const table = this.#db.table(name, this.#columns(columns), { bindKey: facts.bind });
    this.#tables.set(handle, table);
    return { kind: "table", name, table, facts };
  }

  #defineModel(facts: ModelFacts): Defined {
    const { name, role } = facts.item;
    const made = named(name, role === "abstract" ? this.#abstractBase(facts) : this.#modelBase(facts));
    this.#classes.set(name, made);
    if (role === "abstract") return { kind: "abstract", name, base: made, facts };
    const model = made as unknown as AnyModel;
    this.#db.register(model);
    return { kind: "model", name, model, facts };
  }

  #abstractBase(facts: ModelFacts): LooseClass {
    const columns = this.#columns(facts.ownColumns);
    const base = this.#extended(facts);
    if (base !== undefined) return base.extendAbstract(columns, bindOption(facts));
    return loose(this.#db.abstractModel(columns, bindOption(facts)));
  }

  #modelBase(facts: ModelFacts): LooseClass {
    const { item, inheritance, adopted, table } = facts;
    if (item.table !== undefined || adopted !== undefined) return loose(this.#db.model(this.#adoptedTable(facts)));
    const columns = this.#columns(facts.ownColumns);
    const options = {
      ...bindOption(facts),
      ...(item.identity === undefined ? {} : { identity: item.identity }),
      ...(item.discriminator === undefined ? {} : { discriminator: item.discriminator }),
      ...(item.schema === undefined ? {} : { schema: item.schema }),
      ...(item.concrete ? { concrete: true } : {}),
    };
    const base = this.#extended(facts);
    if (base === undefined) return loose(this.#db.model(table as string, columns, options));
    return inheritance === "single" ? base.extend(columns, options) : base.extend(table, columns, options);
  }

  /** The class that is extended, mapped or not. */
  #extended({ item }: ModelFacts): LooseClass | undefined {
    return item.bases.map((base) => this.#classes.get(base)).find((base) => base !== undefined);
  }

  #adoptedTable({ item, adopted, bind, table }: ModelFacts): AnyTable {
    if (adopted !== undefined) return this.table(adopted.item.handle);
    const found = this.#db.metadatas.get(bind).tables.get(table!);
    if (found === undefined) throw new FormatError(`${item.name} is mapped to ${table}, which is not there`);
    return found;
  }

  #columns(items: readonly ColumnItem[]): Columns {
    return Object.fromEntries(items.map((item) => [item.name, this.#column(item)]));
  }

  #column(item: ColumnItem): AnyColumn {
    let column: AnyColumn = item.type === "int" ? integer() : text();
    if (item.key) column = column.primaryKey();
    if (item.nullable) column = column.nullable();
    if (item.unique) column = column.unique();
    if (item.index) column = column.index();
    if (item.default !== undefined) column = column.default(item.default);
    if (item.check !== undefined) column = column.check(sql.raw(item.check.condition), item.check.name);
    return item.reference === undefined ? column : column.references(this.#target(item.reference));
  }

  #target({ by, target }: NonNullable<ColumnItem["reference"]>): string | Column<unknown> {
    if (by === "name") return target;
    const [name = "", property = ""] = target.split(".");
    const table = name.startsWith("#") ? this.table(name.slice(1)) : this.model(name).table;
    const column = table.findColumn(property);
    if (column === undefined) throw new FormatError(`there is no column ${target}`);
    return column as unknown as Column<unknown>;
  }
}

function bindOption({ said }: ModelFacts): { readonly bindKey?: BindKey } {
  return said === undefined ? {} : { bindKey: said };
}

/** The application's own class, under the case's name for it. */
function named(name: string, base: LooseClass): LooseClass {
  return { [name]: class extends base {} }[name]!;
}

function loose(made: unknown): LooseClass {
  // Made of a case's descriptions, its columns are known to nobody's types.
  return made as LooseClass;
}
