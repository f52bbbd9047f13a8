import { bindLabel } from "../bind-key.ts";
import { ModelClassError, SchemaError } from "../errors/schema.ts";
import type { Columns } from "../schema/column.ts";
import type { ForeignKey } from "../schema/foreign-key.ts";
import type { AnyTable } from "../schema/table.ts";
import type { Mapper } from "./mapper.ts";

/** Properties that entities need for themselves. */
const RESERVED = ["constructor", "toJSON", "__proto__"];

/** @throws {SchemaError} if a column would take the place of what every entity has */
export function requirePossibleProperties(columns: Columns, table: AnyTable): void {
  const name = RESERVED.find((reserved) => Object.hasOwn(columns, reserved));
  if (name === undefined) return;
  throw new SchemaError(
    `A model of table ${table.label} cannot have a property "${name}", which entities need themselves. ` +
      `Give the property another name: \`other: text().named("${name}")\`.`,
    { bindKey: table.bindKey },
  );
}

/** @throws {SchemaError} if the rows of a model's table cannot be told apart */
export function requireKey(table: AnyTable): void {
  if (table.primaryKey.length > 0) return;
  throw new SchemaError(
    `Table ${table.label} has no primary key, so its rows cannot be told apart as entities. ` +
      "Give a column `.primaryKey()`, or define it with `db.table` instead of a model.",
    { bindKey: table.bindKey },
  );
}

/** @throws {SchemaError | InvalidValueError} if a root's discriminator or identity does not fit its columns */
export function requireDiscriminator(table: AnyTable, discriminator: string | undefined, identity: unknown): void {
  if (discriminator === undefined && identity === undefined) return;
  if (discriminator === undefined) {
    throw new SchemaError(
      `The model of ${table.label} has an identity and no discriminator: no column could hold it.`,
      {
        bindKey: table.bindKey,
      },
    );
  }
  if (!Object.hasOwn(table.columns, discriminator)) {
    throw new SchemaError(`Table ${table.label} has no column "${discriminator}" to tell its classes apart.`, {
      bindKey: table.bindKey,
    });
  }
  if (identity !== undefined) table.findColumn(discriminator)!.accept(identity);
}

/** @throws {SchemaError} if a child that shares its parent's rows has another bind */
export function requireParentsBind(child: string, bindKey: unknown, parent: Mapper): void {
  const parents = parent.table.bindKey;
  if (bindKey === undefined || bindKey === parents) return;
  throw new SchemaError(
    `The child "${child}" has ${bindLabel(bindKey as string | null)}, but its parent ${parent.label} does not: they share rows, ` +
      "so they must share a bind. With `concrete: true` the child gets a table of its own, which may be in another bind.",
    { bindKey: parents },
  );
}

/** @throws {ModelClassError | InvalidValueError} if a child's rows could not be told from its relatives' */
export function requireIdentity(parent: Mapper, identity: unknown): void {
  const { bindKey } = parent.table;
  if (parent.discriminator === undefined) {
    if (identity === undefined) return;
    throw new ModelClassError(`${parent.label} has no discriminator, so its children cannot have identities.`, {
      bindKey,
    });
  }
  if (identity === undefined) {
    throw new ModelClassError(
      `A child of ${parent.label} needs an \`identity\`: what "${parent.discriminator}" holds in its rows.`,
      {
        bindKey,
      },
    );
  }
  parent.properties.find(({ name }) => name === parent.discriminator)!.column.accept(identity);
  if (parent.childIdentities?.includes(identity) === false) {
    throw new ModelClassError(
      `${parent.label} does not list ${JSON.stringify(identity)} among its children. Add it to the parent's option \`children\`.`,
      { bindKey },
    );
  }
  const other = parent.relativeWithIdentity(identity);
  if (other === undefined) return;
  throw new ModelClassError(`${other.label} has the identity ${JSON.stringify(identity)} already.`, { bindKey });
}

/** @throws {ModelClassError | InvalidValueError} if a list of identities for a child's own children cannot hold */
export function requireChildIdentities(parent: Mapper, identities: unknown): void {
  if (identities === undefined) return;
  const discriminator = parent.properties.find(({ name }) => name === parent.discriminator);
  if (discriminator === undefined || !Array.isArray(identities)) {
    throw new ModelClassError(
      `Expected \`children\` of a child of ${parent.label} to be a list of identities that the discriminator can hold.`,
      { bindKey: parent.table.bindKey },
    );
  }
  for (const identity of identities) discriminator.column.accept(identity);
}

/** @throws {SchemaError} if a child in its parent's table brings columns that the table has, or none can be */
export function requireNewColumns(columns: Columns, parent: Mapper, columnName: (property: string) => string): void {
  const { table } = parent;
  for (const [property, { definition }] of Object.entries(columns)) {
    const name = definition.name ?? columnName(property);
    if (definition.primaryKey === true) {
      throw new SchemaError(`A child in the table of ${parent.label} cannot add "${property}" to its key.`, {
        bindKey: table.bindKey,
      });
    }
    if (!Object.hasOwn(table.columns, property) && table.columnNamed(name) === undefined) continue;
    throw new SchemaError(
      `Table ${table.label} has a column "${Object.hasOwn(table.columns, property) ? property : name}" already, of ${parent.label} or of another child. ` +
        "Children without a table of their own share their parent's: each needs properties and columns of its own names.",
      { bindKey: table.bindKey },
    );
  }
}

/** @throws {SchemaError} if a joined child's row does not belong to one row of its parent's */
export function requireJoin(table: AnyTable, parent: Mapper): void {
  requireKey(table);
  const isShared = (key: ForeignKey) =>
    key.target.table === parent.table.fullName &&
    table.primaryKey.length === parent.table.primaryKey.length &&
    table.primaryKey.every((column, part) => {
      const target = key.target.columns[key.columns.indexOf(column)];
      return target !== undefined && parent.table.findColumn(target) === parent.table.primaryKey[part];
    });
  if (!table.foreignKeys.some(isShared)) {
    const keys = parent.table.primaryKey.map(({ property }) => `"${parent.table.fullName}.${property}"`).join(", ");
    throw new SchemaError(
      `The primary key of ${table.label} has to refer to its parent's, ${keys}, part by part: ` +
        `\`.primaryKey().references("${parent.table.fullName}.${parent.table.primaryKey[0]?.property}")\`.`,
      { bindKey: table.bindKey },
    );
  }
  for (const { property, name } of table.columnList) {
    const inherited = parent.properties.find((other) => other.name === property);
    const part = table.primaryKey.findIndex((column) => column.property === property);
    if (inherited === undefined || (part >= 0 && parent.key[part] === inherited)) continue;
    throw new SchemaError(
      `Table ${table.label} has a column "${name}" for the property "${property}", and its parent ${parent.label} has that property too. ` +
        "An entity has one value of a name: give the child's property another.",
      { bindKey: table.bindKey },
    );
  }
}
