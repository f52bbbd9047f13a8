import { type BindKey, bindLabel, notABindKey } from "../bind-key.ts";
import { quotedName } from "../errors/name-list.ts";
import { InvalidNameError, SchemaError, UnmappedClassError } from "../errors/schema.ts";
import { requireKnownOptions } from "../known-options.ts";
import type { Columns } from "../schema/column.ts";
import type { Redefinition } from "../schema/metadata.ts";
import type { Metadatas } from "../schema/metadatas.ts";
import { brokenName } from "../schema/names.ts";
import { markCopy } from "../schema/package-copy.ts";
import { type AnyTable, Table, type TableOptions } from "../schema/table.ts";
import { requireOwner } from "../schema/table-owner.ts";
import { alias } from "./alias.ts";
import { setColumns } from "./construction.ts";
import { Entity, MAPPER } from "./entity.ts";
import { type EntityClass, Mapper, type MapperDefinition, mapperOfClass, propertiesOf } from "./mapper.ts";
import {
  requireChildIdentities,
  requireDiscriminator,
  requireIdentity,
  requireJoin,
  requireKey,
  requireNewColumns,
  requireParentsBind,
  requirePossibleProperties,
} from "./model-checks.ts";
import type { AnyModel } from "./model-types.ts";
import { accessorNames } from "./relations/relation-accessor.ts";

/** What models are defined in: the metadata of all binds, and how columns are named. */
export interface ModelRegistry {
  readonly metadatas: Metadatas;
  readonly columnName: ((property: string) => string) | undefined;
  /** What becomes of a table or child that is defined twice. */
  readonly redefine: Redefinition;
}

/** A description of a table, before types were put on it. */
export interface UntypedTableOptions extends TableOptions {
  readonly bindKey?: BindKey | undefined;
}

/** Options of a model or a child, before types were put on them. */
export interface UntypedModelOptions extends UntypedTableOptions {
  readonly discriminator?: string | undefined;
  readonly identity?: unknown;
  /** The identities of classes that extend a child. */
  readonly children?: readonly unknown[] | undefined;
  readonly concrete?: boolean | undefined;
}

const TABLE_OPTIONS: readonly (keyof UntypedTableOptions)[] = ["bindKey", "schema", "constraints"];
const MODEL_OPTIONS: readonly (keyof UntypedModelOptions)[] = [...TABLE_OPTIONS, "discriminator", "identity"];
const SINGLE_TABLE_OPTIONS: readonly (keyof UntypedModelOptions)[] = ["bindKey", "identity", "children"];
const CHILD_OPTIONS: readonly (keyof UntypedModelOptions)[] = [...TABLE_OPTIONS, "identity", "children", "concrete"];

type Base = abstract new (...values: never[]) => Entity;

/** Makes a table and enters it in its bind's metadata. */
export function defineTable(
  registry: ModelRegistry,
  name: string,
  columns: Columns,
  options: UntypedTableOptions,
): AnyTable {
  requireKnownOptions(options, TABLE_OPTIONS, `table "${name}"`);
  const table = makeTable(registry, name, columns, options);
  registry.metadatas.ensure(table.bindKey).add(table);
  return table;
}

function makeTable(registry: ModelRegistry, name: string, columns: Columns, options: UntypedTableOptions): AnyTable {
  const { bindKey = null, schema, constraints } = options;
  requireNames(name, bindKey, schema);
  const { columnName } = registry;
  return new Table({
    owner: registry.metadatas,
    name,
    bindKey,
    columns,
    ...(schema === undefined ? {} : { schema }),
    ...(constraints === undefined ? {} : { constraints }),
    ...(columnName === undefined ? {} : { columnName }),
  });
}

/** @throws {SchemaError} if it is not a bind key, such as a URL */
function requireBindKey(bindKey: unknown, label: string): asserts bindKey is BindKey {
  const refusal = notABindKey(bindKey);
  if (refusal !== undefined) throw new SchemaError(`Cannot define ${label}: expected ${refusal}`);
}

/** @throws {SchemaError} if what a table is found by is not a name */
function requireNames(name: unknown, bindKey: unknown, schema: unknown): void {
  const label = typeof name === "string" && name !== "" ? `table ${quotedName(name)}` : "a table without a name";
  requireBindKey(bindKey, label);
  if (typeof name !== "string" || name === "") {
    throw new SchemaError(`A table of ${bindLabel(bindKey)} has no name.`, { bindKey });
  }
  if (schema !== undefined && (typeof schema !== "string" || schema === "")) {
    throw new SchemaError(`The schema of table "${name}" (${bindLabel(bindKey)}) is not a name.`, { bindKey });
  }
  for (const identifier of schema === undefined ? [name] : [name, schema]) {
    const reason = brokenName(identifier);
    if (reason === undefined) continue;
    const what = identifier === name ? "a table" : `the schema of table ${quotedName(name)}`;
    throw new InvalidNameError(
      `Cannot use the name ${quotedName(identifier)} for ${what} of ${bindLabel(bindKey)}: ${reason}.`,
      { bindKey, identifier },
    );
  }
}

/** Makes the class of a model with a table of its own, and enters the table in its bind's metadata. */
export function defineModel(
  registry: ModelRegistry,
  name: string,
  columns: Columns,
  options: UntypedModelOptions,
  base: Base = Entity,
): Base {
  requireKnownOptions(options, MODEL_OPTIONS, `model "${name}"`);
  const table = makeTable(registry, name, columns, options);
  requirePossibleProperties(columns, table);
  const model = mapTable(registry, table, options, base);
  registry.metadatas.ensure(table.bindKey).add(table);
  return model;
}

/** Makes the class of a model over a table that is there already. */
export function mapTable(
  registry: ModelRegistry,
  table: AnyTable,
  options: UntypedModelOptions,
  base: Base = Entity,
): Base {
  const { discriminator, identity } = options;
  requireOwner(table, registry.metadatas);
  requireKey(table);
  requirePossibleProperties(table.columns, table);
  requireDiscriminator(table, discriminator, identity);
  return modelClass(registry, base, table.columns, { name: table.tableName, table, discriminator, identity });
}

/** @throws {SchemaError} if a column has the name of a relation of the parent class */
function requireNoRelation(base: Base, parent: Mapper, columns: Columns): void {
  const name = [...accessorNames(base.prototype)].find((relation) => Object.hasOwn(columns, relation));
  if (name === undefined) return;
  throw new SchemaError(
    `A child of ${parent.label} cannot have a column "${name}": that is a relation of its parent class. ` +
      `Give the property another name: \`other: text().named("${name}")\`.`,
    { bindKey: parent.table.bindKey },
  );
}

/** Makes the class of a base without table. */
export function defineAbstractModel(
  registry: ModelRegistry,
  columns: Columns,
  bindKey: BindKey,
  base: Base = Entity,
): Base {
  requireBindKey(bindKey, "an abstract model");
  abstract class AbstractModel extends base {
    static readonly bindKey = bindKey;

    static extend(this: Base, name: string, own: Columns, options: UntypedModelOptions = {}): Base {
      return defineModel(
        registry,
        name,
        { ...columns, ...own },
        { ...options, bindKey: bindKeyOr(options, bindKey) },
        // biome-ignore lint/complexity/noThisInStatic: the application's own class is extended, not this one
        this,
      );
    }

    static extendAbstract(this: Base, own: Columns, options: UntypedTableOptions = {}): Base {
      requireKnownOptions(options, ["bindKey"], "an abstract model");
      // biome-ignore lint/complexity/noThisInStatic: the application's own class is extended, not this one
      return defineAbstractModel(registry, { ...columns, ...own }, bindKeyOr(options, bindKey), this);
    }
  }
  return fixed(AbstractModel, { bindKey });
}

function modelClass(registry: ModelRegistry, base: Base, columns: Columns, definition: MapperDefinition): Base {
  const mapper = new Mapper(definition);
  const { table } = definition;
  // The outermost base runs first and sets the columns of whatever class is being made, so that every constructor
  // below it, a parent's too, finds them set.
  const isOutermost = !(MAPPER in base);
  abstract class Model extends base {
    constructor(values?: unknown) {
      // A base takes whatever this class is made of, and hands it on.
      super(values as never);
      if (isOutermost) setColumns(this, mapperOfClass(new.target), values);
    }

    static extend(this: Base, ...given: readonly unknown[]): Base {
      // biome-ignore lint/complexity/noThisInStatic: the application's own class is extended, not this one
      return extendModel(registry, this, mapper, columns, given);
    }
  }
  markCopy(Model);
  return fixed(Model, {
    tableName: table.tableName,
    bindKey: table.bindKey,
    columns: table.columns,
    table,
    alias: table.alias,
    expression: table.expression,
    toOperationNode: () => table.toOperationNode(),
    as(this: AnyModel, name: string) {
      return alias(this, name);
    },
    [MAPPER]: mapper,
  });
}

function extendModel(
  registry: ModelRegistry,
  base: Base,
  parent: Mapper,
  columns: Columns,
  given: readonly unknown[],
): Base {
  // The overloads of `extend` in model-types.ts allow these two forms.
  const [name, own, options = {}] = (typeof given[0] === "string" ? given : [undefined, ...given]) as [
    string | undefined,
    Columns,
    UntypedModelOptions?,
  ];
  requireKnownOptions(options, name === undefined ? SINGLE_TABLE_OPTIONS : CHILD_OPTIONS, `a child of ${parent.label}`);
  const all = { ...columns, ...own };
  requireNoRelation(base, parent, all);
  const { concrete, ...others } = options;
  if (concrete === true) {
    return defineModel(registry, name!, all, { ...others, bindKey: bindKeyOr(options, parent.table.bindKey) }, base);
  }
  requireParentsBind(name ?? String(options.identity), options.bindKey, parent);
  const replaced = registry.redefine === "replace" ? parent.childLike(name, options.identity) : undefined;
  if (replaced?.identity === undefined) requireIdentity(parent, options.identity);
  requireChildIdentities(parent, options.children);
  return name === undefined
    ? singleTableChild(registry, base, parent, all, own, options, replaced)
    : joinedChild(registry, base, parent, all, { name, own, options }, replaced);
}

/** A child in its parent's table. */
function singleTableChild(
  registry: ModelRegistry,
  base: Base,
  parent: Mapper,
  columns: Columns,
  own: Columns,
  { identity, children }: UntypedModelOptions,
  replaced: Mapper | undefined,
): Base {
  const { table } = parent;
  // The table keeps the columns of children that are defined anew.
  const isKept = (name: string) =>
    registry.redefine === "replace" &&
    Object.hasOwn(table.columns, name) &&
    !parent.root.uses(table.columns[name], replaced);
  const added = Object.fromEntries(Object.entries(own).filter(([name]) => !isKept(name)));
  requirePossibleProperties(added, table);
  requireNewColumns(added, parent, registry.columnName ?? ((property) => property));
  registry.metadatas.ensure(table.bindKey).grow(table, added, registry.columnName);
  const ownProperties = propertiesOf(
    table,
    Object.keys(own).map((name) => table.columns[name]),
  ).map((property) => ({
    ...property,
    required: own[property.name]!.definition.nullable !== true,
  }));
  if (replaced !== undefined) parent.abandon(replaced);
  const definition = { name: String(identity), table, parent, ownProperties, identity, childIdentities: children };
  return modelClass(registry, base, columns, definition);
}

interface JoinedChild {
  readonly name: string;
  readonly own: Columns;
  readonly options: UntypedModelOptions;
}

/** A child whose table is joined to its parent's. */
function joinedChild(
  registry: ModelRegistry,
  base: Base,
  parent: Mapper,
  columns: Columns,
  { name, own, options }: JoinedChild,
  replaced: Mapper | undefined,
): Base {
  const { identity, children: childIdentities } = options;
  const table = makeTable(registry, name, own, { ...options, bindKey: parent.table.bindKey });
  requirePossibleProperties(own, table);
  requireJoin(table, parent);
  registry.metadatas.ensure(table.bindKey).add(table);
  if (replaced !== undefined) parent.abandon(replaced);
  return modelClass(registry, base, columns, { name, table, parent, identity, childIdentities });
}

/** Defines members that cannot be changed later: the association of a model with its bind is made once. */
function fixed(target: Base, members: Readonly<Record<string | symbol, unknown>>): Base {
  for (const key of Reflect.ownKeys(members)) {
    Object.defineProperty(target, key, {
      value: members[key],
      enumerable: typeof key === "string",
      configurable: false,
      writable: false,
    });
  }
  return target;
}

function bindKeyOr(options: UntypedTableOptions, inherited: BindKey): BindKey {
  return options.bindKey === undefined ? inherited : options.bindKey;
}

/** Fixes the application's class of a model. */
export function registerClass(model: unknown): void {
  const mapper = mapperOfClass(model);
  if (Object.hasOwn(model as object, MAPPER)) {
    throw new UnmappedClassError(
      "`db.register` takes the class that extends a model, from its own `static { db.register(this); }`.",
    );
  }
  // A class with a mapper is one that constructs entities.
  mapper.register(model as unknown as EntityClass);
}
