import type { OperationNode, QueryNode, ReferenceNode, TableNode } from "kysely";
import type { Relation } from "./relation.ts";

/** What names mean at one place of a statement: its query's relations, and around them those of the queries outside. */
export class Scope {
  readonly outer: Scope | undefined;
  /** The query whose scope it is; absent for one that only holds names. */
  query: QueryNode | undefined;
  /** Whether SQL text around it may name tables that are not known. */
  mayHaveOthers = false;
  /** The sources of the query's rows, in order. */
  readonly relations: Relation[] = [];
  #queries: Map<string, Relation> | undefined;
  #bodies: ReadonlyMap<OperationNode, Scope> | undefined;

  constructor(outer?: Scope) {
    this.outer = outer;
  }

  /** Gives a common table expression its name. */
  define(name: string, query: Relation): void {
    this.#queries ??= new Map();
    this.#queries.set(name, query);
  }

  /** Says in which scope each common table expression itself stands. */
  defineBodies(bodies: ReadonlyMap<OperationNode, Scope>): void {
    this.#bodies = bodies;
  }

  /** The scope in which a common table expression stands. */
  bodyOf(expression: OperationNode): Scope {
    return this.#bodies?.get(expression) ?? this;
  }

  /** The common table expression of that name. */
  queryNamed(name: string): Relation | undefined {
    return this.#queries?.get(name) ?? this.outer?.queryNamed(name);
  }

  /** The relation whose column a reference means; none where it is unknown or there are several. */
  relationOf({ column, table }: ReferenceNode): Relation | undefined {
    if (table !== undefined) return this.relationNamed(table);
    return column.kind === "ColumnNode" ? this.#relationWith(column.column.name) : undefined;
  }

  /** The relation that a table in front of a column means. */
  relationNamed({ table: { identifier, schema } }: TableNode): Relation | undefined {
    for (let scope: Scope | undefined = this; scope !== undefined; scope = scope.outer) {
      const named = scope.relations.filter(
        (relation) =>
          relation.name === identifier.name && (schema === undefined || relation.table?.schema === schema.name),
      );
      if (named.length > 0) return named.length === 1 ? named[0] : undefined;
    }
    return undefined;
  }

  #relationWith(column: string): Relation | undefined {
    let found: Relation | undefined;
    let mayBeElsewhere = true;
    for (const relation of this.relations) {
      if (relation.has(column)) {
        if (found !== undefined) return undefined;
        found = relation;
      } else if (!relation.isComplete) {
        mayBeElsewhere = false;
      }
    }
    if (found !== undefined || !mayBeElsewhere) return found;
    return this.outer === undefined ? undefined : this.outer.#relationWith(column);
  }
}
