import type { AnyTable } from "../../../src/index.ts";
import { FormatError } from "../read/json.ts";
import type { SchemaBuilder } from "../schema/builder.ts";

/** Something that a statement reads from. */
export interface Source {
  /** What columns are qualified with. */
  readonly alias: string;
  /** What stands in the `from`: a table, an aliased subquery, or the name of a common table expression. */
  readonly expression: unknown;
  readonly columns: readonly string[];
}

/** What the names in a statement stand for: `Model`, `#table`, `@name` from its `with`, and `….column` of each. */
export class Scope {
  readonly schema: SchemaBuilder;
  readonly #named = new Map<string, Source>();

  constructor(schema: SchemaBuilder, around?: Scope) {
    this.schema = schema;
    if (around !== undefined) for (const [name, source] of around.#named) this.#named.set(name, source);
  }

  /** Gives `@name` a meaning. */
  define(name: string, source: Source): void {
    this.#named.set(name, source);
  }

  /** Whether text names something here rather than being a value. */
  names(text: string): boolean {
    const [name = "", column, ...rest] = text.split(".");
    if (rest.length > 0) return false;
    const source = this.#find(name);
    return source !== undefined && (column === undefined || source.columns.includes(column));
  }

  /** The table or other source that a name stands for. @throws {FormatError} if there is none */
  source(name: string): Source {
    const source = this.#find(name.split(".")[0]!);
    if (source === undefined) throw new FormatError(`the statement names ${name}, which the case does not have`);
    return source;
  }

  /** A column as Kysely's builders take it. @throws {FormatError} if there is none */
  column(reference: string): string {
    const [, column] = reference.split(".");
    const { alias, columns } = this.source(reference);
    if (column === undefined || !columns.includes(column))
      throw new FormatError(`the statement names ${reference}, which is no column`);
    return `${alias}.${column}`;
  }

  #find(name: string): Source | undefined {
    if (name.startsWith("@")) return this.#named.get(name.slice(1));
    const { facts } = this.schema;
    const isKnown = name.startsWith("#")
      ? facts.tables.has(name.slice(1)) || facts.models.has(name.slice(1))
      : facts.models.get(name)?.table !== undefined;
    return isKnown ? tableSource(this.table(name)) : undefined;
  }

  /** The table of `Model` or `#table`. */
  table(name: string): AnyTable {
    return name.startsWith("#") ? this.schema.table(name.slice(1)) : this.schema.model(name).table;
  }
}

/** A table, under its own name or an alias. */
export function tableSource(table: AnyTable): Source {
  return { alias: table.alias, expression: table, columns: table.columnList.map(({ property }) => property) };
}
