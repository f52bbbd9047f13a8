import type { BindKey } from "../../../src/index.ts";
import { snakeCase } from "../../../src/schema/snake-case.ts";
import { FormatError, type Json } from "../read/json.ts";
import { keyOf, labelOf } from "../read/keys.ts";
import { type ColumnItem, type ModelItem, readItem, type SchemaItem, type TableItem } from "./items.ts";

/** How a class belongs to the mapped class that it extends. */
export type Inheritance = "single" | "joined" | "concrete";

/** What design.md says of a class, worked out from its description and those before. */
export interface ModelFacts {
  readonly item: ModelItem;
  /** The mapped class that it extends. */
  readonly parent: ModelFacts | undefined;
  readonly inheritance: Inheritance | undefined;
  /** The table's name; `undefined` where the class has none. */
  readonly table: string | undefined;
  readonly schema: string | undefined;
  readonly bind: BindKey;
  /** The bind that the class itself names; `undefined` where it names none. */
  readonly said: BindKey | undefined;
  /** Whether the class names another bind than the parent whose rows it shares, which multibind refuses. */
  readonly refused: boolean;
  /** The columns of its own table, those of abstract bases included. */
  readonly columns: readonly ColumnItem[];
  /** The columns of the class itself. */
  readonly ownColumns: readonly ColumnItem[];
  /** The table that is there already and that the class is mapped to. */
  readonly adopted: TableFacts | undefined;
  /** The metadata object of the case's own that decides, as the case writes it. */
  readonly ownMetadata: string | undefined;
}

/** A table without a class. */
export interface TableFacts {
  readonly item: TableItem;
  readonly bind: BindKey;
  readonly ownMetadata: string | undefined;
}

/** A table as statements name it: a class's, or one without a class. */
export interface NamedTable {
  readonly table: string;
  readonly bind: BindKey;
  readonly columns: readonly ColumnItem[];
}

/**
 * A case's classes and tables: which bind, table and parent each has. Written from the descriptions alone, so that it
 * can tell what to ask of the library, and what to expect of it where the two must differ.
 */
export class SchemaFacts {
  readonly models = new Map<string, ModelFacts>();
  readonly tables = new Map<string, TableFacts>();
  readonly items: SchemaItem[] = [];
  readonly #autonaming: boolean;

  constructor(items: readonly Json[] = [], { autonaming = true }: { readonly autonaming?: boolean } = {}) {
    this.#autonaming = autonaming;
    for (const item of items) this.add(item);
  }

  /** Adds a description and returns what it says. */
  add(value: Json): ModelFacts | TableFacts {
    const item = readItem(value);
    this.items.push(item);
    if (item.kind === "table") {
      const facts: TableFacts = { item, bind: bindOfTable(item), ownMetadata: ownLabel(item) };
      this.tables.set(item.handle, facts);
      return facts;
    }
    const facts = this.#modelFacts(item);
    this.models.set(item.name, facts);
    return facts;
  }

  /** What `Model` or `#table` stands for; `undefined` where it is neither. */
  find(name: string): NamedTable | undefined {
    const handle = name.startsWith("#") ? name.slice(1) : undefined;
    const table = handle === undefined ? undefined : this.tables.get(handle);
    if (table !== undefined) return { table: table.item.name, bind: table.bind, columns: table.item.columns };
    const model = this.models.get(handle ?? name);
    if (model?.table === undefined) return undefined;
    return { table: model.table, bind: model.bind, columns: model.columns };
  }

  /** Whether a table of a bind has a foreign key to another one of it, or is a joined child of it. */
  refersTo(table: string, other: string, bind: string): boolean {
    const isJoined = [...this.models.values()].some(
      (model) =>
        model.table === table &&
        model.inheritance === "joined" &&
        model.parent!.table === other &&
        labelOf(model.bind) === bind,
    );
    const found = this.tablesOf(keyOf(bind)).find((one) => one.table === table);
    const targets = (found?.columns ?? []).flatMap(({ reference }) => reference?.target ?? []);
    return isJoined || targets.some((target) => target.startsWith(`${other}.`));
  }

  /** Every table of a bind, in the order of definition. */
  tablesOf(bind: BindKey): NamedTable[] {
    const found: NamedTable[] = [];
    for (const { kind, ...item } of this.items) {
      const name = kind === "table" ? `#${(item as TableItem).handle}` : item.name;
      const table = this.find(name);
      if (table !== undefined && table.bind === bind && !found.some((other) => other.table === table.table))
        found.push(table);
    }
    return found;
  }

  #modelFacts(item: ModelItem): ModelFacts {
    const line = this.#lineOf(item);
    const parent = item.bases.map((base) => this.#mapped(base)).find((base) => base !== undefined);
    const unmapped = line.filter((one) => one.role !== "model" || one === item);
    const tableColumns = columnsOf(unmapped);
    const adopted = this.#adopted(item);
    const inheritance = parent === undefined ? undefined : inheritanceOf(item, tableColumns);
    const decider = unmapped.find(({ bind, metadata }) => bind !== undefined || metadata !== undefined);
    const decided = decider === undefined ? undefined : bindOf(decider);
    const said = decider === item ? decided : undefined;
    const shares = inheritance === "single" || inheritance === "joined";
    const bind = adopted?.bind ?? (shares ? parent!.bind : decided === undefined ? (parent?.bind ?? null) : decided);
    return {
      item,
      parent,
      inheritance,
      table:
        item.role !== "model"
          ? undefined
          : inheritance === "single"
            ? parent!.table
            : (adopted?.item.name ?? this.#tablename(item, unmapped)),
      schema: inheritance === "single" ? parent!.schema : item.schema,
      bind,
      said,
      refused: shares && said !== undefined && said !== parent!.bind,
      columns:
        inheritance === "single"
          ? uniqueColumns([...parent!.columns, ...tableColumns])
          : (adopted?.item.columns ?? tableColumns),
      ownColumns: item.columns,
      adopted,
      ownMetadata:
        adopted === undefined ? (shares ? parent!.ownMetadata : decider && ownLabel(decider)) : adopted.ownMetadata,
    };
  }

  /** The class and those it extends, nearest first, as Python looks for attributes. */
  #lineOf(item: ModelItem): ModelItem[] {
    const line = [item];
    for (const base of item.bases) {
      if (base === "Model") continue;
      const facts = this.models.get(base);
      if (facts === undefined) throw new FormatError(`${item.name} extends ${base}, which is not defined`);
      for (const one of this.#lineOf(facts.item)) if (!line.includes(one)) line.push(one);
    }
    return line;
  }

  #mapped(base: string): ModelFacts | undefined {
    const facts = this.models.get(base);
    if (facts === undefined || facts.item.role === "model") return facts;
    return facts.item.bases.map((one) => this.#mapped(one)).find((one) => one !== undefined);
  }

  /** The table that a class names as its own. */
  #adopted(item: ModelItem): TableFacts | undefined {
    return item.table === undefined ? undefined : this.tables.get(item.table);
  }

  #tablename(item: ModelItem, line: readonly ModelItem[]): string | undefined {
    if (item.table !== undefined) return item.table;
    for (const { tablename } of line) if (tablename !== undefined) return tablename ?? undefined;
    return this.#autonaming ? snakeCase(item.name) : undefined;
  }
}

function inheritanceOf({ concrete }: ModelItem, columns: readonly ColumnItem[]): Inheritance {
  if (concrete) return "concrete";
  return columns.some(({ key }) => key) ? "joined" : "single";
}

/** The columns of classes, the farthest class's first. */
function columnsOf(line: readonly ModelItem[]): ColumnItem[] {
  return uniqueColumns(line.toReversed().flatMap(({ columns }) => columns));
}

function uniqueColumns(columns: readonly ColumnItem[]): ColumnItem[] {
  return [...new Map(columns.map((column) => [column.name, column])).values()];
}

function bindOf({ bind, metadata }: SchemaItem): BindKey | undefined {
  return metadata === undefined ? bind : metadata.bind;
}

function bindOfTable(item: TableItem): BindKey {
  return bindOf(item) ?? null;
}

function ownLabel({ metadata }: SchemaItem): string | undefined {
  return metadata?.own === undefined ? undefined : `own:${metadata.own}`;
}
