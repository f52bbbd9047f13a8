import { bindLabel } from "../bind-key.ts";
import { ModelClassError, UnmappedClassError } from "../errors/schema.ts";
import { requireThisCopy } from "../schema/package-copy.ts";
import type { AnyTable } from "../schema/table.ts";
import type { TableColumn } from "../schema/table-column.ts";
import { type ColumnSetter, columnSetter, type FixedProperty } from "./construction.ts";
import { type Entity, MAPPER } from "./entity.ts";

/** A class of entities. */
export type EntityClass = new (values: Readonly<Record<string, unknown>>) => Entity;

/** A property of entities, and where it is stored. */
export interface MappedProperty {
  readonly name: string;
  /** The column; of a key that joined tables share, the root table's. */
  readonly column: TableColumn;
  /** The table that holds the column. */
  readonly table: AnyTable;
  /** Whether null is refused. A child's column in its parent's table lets null in for the others' rows. */
  readonly required: boolean;
}

/** What makes a mapper. */
export interface MapperDefinition {
  /** The model's name in messages. */
  readonly name: string;
  readonly table: AnyTable;
  /** The parent whose rows these rows belong to: by a join or in the same table. */
  readonly parent?: Mapper | undefined;
  /** The properties in a table that is shared with the parent: only these are the class's own. */
  readonly ownProperties?: readonly MappedProperty[] | undefined;
  readonly discriminator?: string | undefined;
  readonly identity?: unknown;
  /** The identities that children may have; absent where all may be used. */
  readonly childIdentities?: readonly unknown[] | undefined;
}

/**
 * How one class of entities is stored: in which tables, by which columns, and how its rows are told from its relatives'.
 *
 * @see SQLAlchemy: `Mapper`
 */
export class Mapper {
  readonly name: string;
  /** The class's own table; a single-table child's is its parent's. */
  readonly table: AnyTable;
  /** All tables that a row is spread over, the root's first. */
  readonly tables: readonly AnyTable[];
  readonly parent: Mapper | undefined;
  /** The topmost parent: its table names the identity of rows. */
  readonly root: Mapper;
  /** Every property, the parents' first. */
  readonly properties: readonly MappedProperty[];
  readonly propertyNames: ReadonlySet<string>;
  /** The properties that the parent has not. */
  readonly ownProperties: readonly MappedProperty[];
  /** The properties of the primary key. */
  readonly key: readonly MappedProperty[];
  /** The property that counts a row's updates. */
  readonly version: MappedProperty | undefined;
  /** The properties that have a default in the application. */
  readonly defaulted: readonly MappedProperty[];
  /** The properties that get a value with every update of their table's row. */
  readonly touched: readonly MappedProperty[];
  /** The property whose value tells which class a row is of. */
  readonly discriminator: string | undefined;
  /** The discriminator's value in rows of this class. */
  readonly identity: unknown;
  /** The identities that children may have; undefined where all may be used. */
  readonly childIdentities: readonly unknown[] | undefined;
  /** The class, once it was found that its entities hold what rows give them. */
  soundClass: EntityClass | undefined;
  /** Whether entities can be made right from rows: the class is sound, and has no constructor that would see them. */
  takesRows = false;
  /** An entity that is never used: see `pinHiddenClass`. */
  exemplar: Entity | undefined;
  /** Sets the columns of an entity that is being made. */
  readonly setColumns: ColumnSetter;
  readonly #byIdentity: Map<unknown, Mapper>;
  readonly #children = new Set<Mapper>();
  #class: EntityClass | undefined;
  #revision = 0;

  constructor(definition: MapperDefinition) {
    const { name, table, parent, discriminator } = definition;
    this.name = name;
    this.table = table;
    this.parent = parent;
    this.root = parent?.root ?? this;
    this.tables =
      parent === undefined || parent.table === table ? (parent?.tables ?? [table]) : [...parent.tables, table];
    this.discriminator = discriminator ?? parent?.discriminator;
    this.identity = definition.identity;
    this.childIdentities = definition.childIdentities;
    this.#byIdentity = parent === undefined ? new Map() : parent.root.#byIdentity;

    const inherited = parent?.properties ?? [];
    const known = new Set(inherited.map((property) => property.name));
    const own = definition.ownProperties ?? propertiesOf(table);
    this.ownProperties = own.filter((property) => !known.has(property.name));
    this.properties = [...inherited, ...this.ownProperties];
    this.propertyNames = new Set(this.properties.map((property) => property.name));
    const root = parent?.root.table ?? table;
    this.key = root.primaryKey.map((column) => this.properties.find((property) => property.column === column)!);
    this.version = this.properties.find(({ column }) => column.definition.version === true);
    this.defaulted = this.properties.filter(({ column }) => column.definition.default !== undefined);
    this.touched = this.properties.filter(({ column }) => column.definition.onUpdate !== undefined);
    this.setColumns = columnSetter(
      this.properties.map((property) => property.name),
      this.#fixedDiscriminator(),
    );
    if (this.identity !== undefined) this.#byIdentity.set(this.identity, this);
    if (parent !== undefined) parent.#adopt(this);
  }

  /** The model and its bind, as messages write them. */
  get label(): string {
    return `${this.name} (${bindLabel(this.table.bindKey)})`;
  }

  /** Grows with each descendant: what was compiled for fewer is out of date. */
  get revision(): number {
    return this.#revision;
  }

  /** Whether the class of a row must be read from it: it can be that of a child, or unknown. */
  get isPolymorphic(): boolean {
    return this.discriminator !== undefined && (this.#children.size > 0 || this.identity !== undefined);
  }

  /** This mapper and all below it, parents first. */
  *family(): IterableIterator<Mapper> {
    yield this;
    for (const child of this.#children) yield* child.family();
  }

  /** Whether `other` is this mapper or one above it. */
  isA(other: Mapper): boolean {
    for (let mapper: Mapper | undefined = this; mapper !== undefined; mapper = mapper.parent)
      if (mapper === other) return true;
    return false;
  }

  /**
   * The mapper of a row by its discriminator.
   *
   * @throws {UnmappedClassError} if no class has that identity, or one that is neither this one nor a child of it
   */
  forIdentity(identity: unknown): Mapper {
    const mapper = this.#byIdentity.get(identity);
    if (mapper?.isA(this) === true) return mapper;
    const who = mapper === undefined ? "no class has that identity" : `that is the identity of ${mapper.label}`;
    throw new UnmappedClassError(
      `A row of ${this.label} says ${this.discriminator} = ${JSON.stringify(identity)}, and ${who}. ` +
        "A child registers itself with `static { db.register(this); }`, in a module that is imported.",
      { bindKey: this.table.bindKey },
    );
  }

  /** The mapper with an identity, anywhere in the family. */
  relativeWithIdentity(identity: unknown): Mapper | undefined {
    return this.#byIdentity.get(identity);
  }

  /** The child that another one would take the place of: with the same identity, or the same table of its own. */
  childLike(tableName: string | undefined, identity: unknown): Mapper | undefined {
    return [...this.#children].find((child) =>
      identity === undefined
        ? child.table !== this.table && child.table.tableName === tableName
        : child.identity === identity,
    );
  }

  /** Forgets a child that is defined anew, and the children of that. */
  abandon(child: Mapper): void {
    this.#children.delete(child);
    for (const { identity } of child.family()) if (identity !== undefined) this.#byIdentity.delete(identity);
  }

  /** Whether this class or one below it has a column, apart from `except` and those below that. */
  uses(column: TableColumn, except: Mapper | undefined): boolean {
    if (this === except) return false;
    if (this.ownProperties.some((property) => property.column === column)) return true;
    return [...this.#children].some((child) => child.uses(column, except));
  }

  /** Whether an application's class was given to this mapper. */
  get isRegistered(): boolean {
    return this.#class !== undefined;
  }

  /**
   * The class whose instances rows become.
   *
   * @throws {UnmappedClassError} if none was registered yet
   */
  get entityClass(): EntityClass {
    if (this.#class !== undefined) return this.#class;
    throw new UnmappedClassError(
      `Rows of ${this.label} cannot be made into entities: its class is not known yet. ` +
        "Add `static { db.register(this); }` to the class, and import its module.",
      { bindKey: this.table.bindKey },
    );
  }

  /**
   * Fixes the class whose instances rows become.
   *
   * @throws {ModelClassError} if another class has that place
   */
  register(entityClass: EntityClass): void {
    if (this.#class === entityClass) return;
    if (this.#class !== undefined) {
      throw new ModelClassError(
        `${entityClass.name} and ${this.#class.name} are both classes of ${this.label}. A row becomes an entity of one class: ` +
          `make the second with \`${this.#class.name}.extend(…)\`, or use one of them only.`,
        { bindKey: this.table.bindKey },
      );
    }
    this.#class = entityClass;
  }

  #fixedDiscriminator(): FixedProperty | undefined {
    if (this.discriminator === undefined || this.identity === undefined) return undefined;
    return { name: this.discriminator, value: this.identity, overridable: this.parent === undefined };
  }

  #adopt(child: Mapper): void {
    this.#children.add(child);
    for (let mapper: Mapper | undefined = this; mapper !== undefined; mapper = mapper.parent) mapper.#revision++;
  }
}

/** The properties of a table that one class has to itself. */
export function propertiesOf(table: AnyTable, columns: readonly TableColumn[] = table.columnList): MappedProperty[] {
  return columns.map((column) => ({
    name: column.property,
    column,
    table,
    required: column.definition.nullable !== true,
  }));
}

/**
 * The mapper of a model's class.
 *
 * @throws {UnmappedClassError} if it is no model
 */
export function mapperOfClass(model: unknown): Mapper {
  const mapper = typeof model === "function" ? (model as { readonly [MAPPER]?: Mapper })[MAPPER] : undefined;
  if (mapper !== undefined) return mapper;
  requireThisCopy(model, typeof model === "function" ? `the model ${model.name}` : "what was given as a model");
  const given = typeof model === "function" ? `the class ${model.name || "without a name"}` : "something else";
  throw new UnmappedClassError(
    `Expected a model or an entity of one, but got ${given}. Models are classes that extend what \`db.model\` or \`extend\` returns.`,
  );
}
