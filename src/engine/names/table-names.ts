import { type BindKey, bindLabel } from "../../bind-key.ts";
import { quotedName } from "../../errors/name-list.ts";
import { InvalidNameError } from "../../errors/schema.ts";
import type { ConstraintName } from "../../schema/constraint-names.ts";
import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { type NameRules, type Namespace, storedNameRefusal } from "./name-rules.ts";

/** The engine whose database has the tables. */
interface Target {
  readonly bindKey: BindKey;
  readonly family: { readonly names: NameRules };
}

/**
 * Refuses a column whose name, or whose table's name, the database would not keep.
 *
 * @throws {InvalidNameError}
 */
export function requireColumnName(
  { name, property, table }: TableColumn,
  { bindKey, family: { names } }: Target,
): void {
  const own = { bindKey, table: table.fullName };
  const ofTable = storedNameRefusal(names, table.name);
  if (ofTable !== undefined) throw badTable(table.name, ofTable, own);
  const reason = storedNameRefusal(names, name);
  if (reason === undefined) return;
  const why = name === property ? reason : `its name ${quotedName(name)} cannot stay as it is: ${reason}`;
  throw new InvalidNameError(
    `Cannot use column ${quotedName(property)} of table ${quotedName(table.fullName)} (${bindLabel(bindKey)}): ${why}. ` +
      'Give it another name with `.named("…")`.',
    { ...own, identifier: name, column: property },
  );
}

/**
 * Refuses tables with names that the database would not keep, or would take for others of them.
 *
 * @param tables all tables of the bind
 * @throws {InvalidNameError}
 */
export function requireTableNames(tables: Iterable<AnyTable>, target: Target): void {
  const { bindKey, family } = target;
  const { names } = family;
  const known = new Map<string, AnyTable>();
  for (const table of tables) {
    const own = { bindKey, table: table.fullName };
    for (const name of [table.tableName, ...(table.schema === undefined ? [] : [table.schema])]) {
      const reason = storedNameRefusal(names, name);
      if (reason !== undefined) throw badTable(name, reason, own);
    }
    if (names.ignoresCase.tables) {
      const twin = known.get(table.fullName.toLowerCase());
      if (twin !== undefined) {
        throw new InvalidNameError(
          `Cannot use table ${quotedName(table.fullName)} beside ${quotedName(twin.fullName)} (${bindLabel(bindKey)}): ` +
            "the names differ only in case, and the database takes them for the same. Rename one of them.",
          { ...own, identifier: table.tableName },
        );
      }
      known.set(table.fullName.toLowerCase(), table);
    }
    for (const column of table.columnList) requireColumnName(column, target);
    requireColumnCase(table, target);
  }
}

/**
 * Refuses columns of one table that the database takes for the same.
 *
 * @throws {InvalidNameError}
 */
export function requireColumnCase(table: AnyTable, { bindKey, family }: Target): void {
  if (!family.names.ignoresCase.columns) return;
  const known = new Map<string, TableColumn>();
  for (const column of table.columnList) {
    const twin = known.get(column.name.toLowerCase());
    if (twin !== undefined) {
      throw new InvalidNameError(
        `Cannot use column ${quotedName(column.name)} beside ${quotedName(twin.name)} in table ${table.label}: ` +
          'the names differ only in case, and the database takes them for the same. Rename one with `.named("…")`.',
        { bindKey, identifier: column.name, table: table.fullName, column: column.property },
      );
    }
    known.set(column.name.toLowerCase(), column);
  }
}

/**
 * Refuses names of constraints and indexes that the database would not keep, or that two of them have.
 *
 * @param tables all tables of the bind
 * @param namesOf the names that a table's constraints get
 * @throws {InvalidNameError}
 */
export function requireConstraintNames(
  tables: readonly AnyTable[],
  namesOf: (table: AnyTable) => readonly ConstraintName[],
  { bindKey, family: { names } }: Target,
): void {
  const taken = new Map<string, string>();
  const take = (namespaces: readonly Namespace[], name: string, table: AnyTable, label: string): string | undefined => {
    for (const { of, within } of namespaces) {
      const folded = names.ignoresCase.columns ? name.toLowerCase() : name;
      const key = JSON.stringify([of, table.schema, within === "table" ? table.tableName : null, folded]);
      const holder = taken.get(key);
      if (holder !== undefined) return holder;
      taken.set(key, label);
    }
    return undefined;
  };
  for (const table of tables)
    take(names.namespaces.table, table.tableName, table, `table ${quotedName(table.fullName)}`);
  for (const table of tables) {
    for (const { kind, name, columns, wayOut } of namesOf(table)) {
      const own = { bindKey, identifier: name, table: table.fullName };
      const over = columns.length === 0 ? "" : ` over ${columns.map(quotedName).join(", ")}`;
      const label = `the ${kind}${over} of table ${quotedName(table.fullName)}`;
      const reason = storedNameRefusal(names, name);
      if (reason !== undefined) {
        throw new InvalidNameError(
          `Cannot use the name ${quotedName(name)} for ${label} (${bindLabel(bindKey)}): ${reason}. ${wayOut}`,
          own,
        );
      }
      const holder = take(names.namespaces[kind], name, table, label);
      if (holder === undefined) continue;
      throw new InvalidNameError(
        `Cannot use the name ${quotedName(name)} for ${label} (${bindLabel(bindKey)}): ${holder} has it already. ${wayOut}`,
        own,
      );
    }
  }
}

function badTable(
  identifier: string,
  reason: string,
  own: { readonly bindKey: BindKey; readonly table: string },
): InvalidNameError {
  return new InvalidNameError(
    `Cannot use table ${quotedName(own.table)} (${bindLabel(own.bindKey)}): the name ${quotedName(identifier)} cannot stay ` +
      `as it is: ${reason}. Rename the table.`,
    { ...own, identifier },
  );
}
