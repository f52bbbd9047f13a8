import { bindLabel } from "../../bind-key.ts";
import { nameList, quotedName } from "../../errors/name-list.ts";
import { SchemaError } from "../../errors/schema.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import type { Mapper } from "../mapper.ts";

/** The two classes of a relation, and how messages write it. */
export interface RelationSides {
  readonly label: string;
  /** The class that has the relation. */
  readonly owner: Mapper;
  readonly target: Mapper;
}

/** The error of facts that do not fit the models. */
export function refused({ label, owner }: Pick<RelationSides, "label" | "owner">, reason: string): SchemaError {
  const { bindKey } = owner.table;
  return new SchemaError(`Cannot relate ${label} (${bindLabel(bindKey)}): ${reason}`, { bindKey });
}

export function quotedNames(names: Iterable<string>): string {
  return nameList([...names].map(quotedName));
}

/** Integers of all sizes are alike; so are all texts. */
const ALIKE: Readonly<Record<string, string>> = {
  smallint: "integer",
  bigint: "integer",
  char: "text",
  varchar: "text",
};

/** @throws {SchemaError} if two columns cannot hold the same values */
export function requireAlike(sides: RelationSides, one: TableColumn, other: TableColumn): void {
  const [first, second] = [one, other].map(({ definition }) => definition.type.kind) as [string, string];
  if ((ALIKE[first] ?? first) === (ALIKE[second] ?? second)) return;
  throw refused(
    sides,
    `"${one.property}" of ${one.table.name} is ${first} and "${other.property}" of ${other.table.name} is ${second}.`,
  );
}

/** Whether no two rows of tables with this key can have the same values in some columns. */
export function areUnique(key: readonly string[], tables: readonly AnyTable[], names: readonly string[]): boolean {
  const wanted = new Set(names);
  const uniques = tables.flatMap(({ uniques, indexes }) => [...uniques, ...indexes.filter(({ unique }) => unique)]);
  return [key, ...uniques.map(({ columns }) => columns)].some(
    (columns) => columns.length === wanted.size && columns.every((name) => wanted.has(name)),
  );
}
