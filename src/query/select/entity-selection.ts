import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  IdentifierNode,
  JoinNode,
  type OperationNode,
  OperatorNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from "kysely";
import { LruCache } from "../../engine/lru-cache.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { singleTableCriterion } from "../../model/single-table-criterion.ts";
import { shortenedName } from "../../schema/names.ts";
import type { AnyTable } from "../../schema/table.ts";

/** A column of the rows that entities are made from. */
export interface EntityColumn {
  /** The name of the column in the rows. */
  readonly rowKey: string;
  readonly property: MappedProperty;
}

/** From where and by which columns entities of a model are read. */
export interface EntitySelection {
  readonly mapper: Mapper;
  /** The name of the model in a statement. */
  readonly alias: string;
  /** The model's table, or the join of the tables that its rows are spread over. */
  readonly source: OperationNode;
  /** Whether the source is a join. */
  readonly isJoined: boolean;
  readonly selections: readonly SelectionNode[];
  /** The condition that tells a single-table child's rows from its relatives'. */
  readonly condition: OperationNode | undefined;
  /** The columns of each class that a row can be of. */
  readonly columns: ReadonlyMap<Mapper, readonly EntityColumn[]>;
  /** Whether nothing but such an entity is read from a row, and the row has its values under the properties' names. */
  readonly isAlone: boolean;
  /** Which descendants the model had. */
  readonly revision: number;
}

/** Whether a model has got another descendant since, so that its rows can be of another class. */
export function isOutdated({ mapper, revision }: EntitySelection): boolean {
  return mapper.revision !== revision;
}

/** What entities are called in a statement that reads them, where that is not the plain case. */
export interface SelectionNames {
  /** The name of the model. Defaults to that of its table. */
  readonly alias?: string | undefined;
  /** The prefix of the columns' names in the rows, before a number. Entities that share a row have one each. */
  readonly prefix?: string | undefined;
}

interface Cached {
  readonly revision: number;
  readonly named: LruCache<string, EntitySelection>;
  plain?: EntitySelection;
}

const MOST_NAMES = 32;

const cache = new WeakMap<Mapper, Cached>();

/** How entities of a model, and of the children that a row of it can be, are read. */
export function entitySelection(mapper: Mapper, { alias, prefix }: SelectionNames = {}): EntitySelection {
  let known = cache.get(mapper);
  if (known === undefined || known.revision !== mapper.revision) {
    known = { revision: mapper.revision, named: new LruCache(MOST_NAMES) };
    cache.set(mapper, known);
  }
  if (alias === undefined && prefix === undefined) {
    known.plain ??= makeSelection(mapper, mapper.table.tableName, undefined);
    return known.plain;
  }
  const name = JSON.stringify([alias, prefix]);
  let selection = known.named.get(name);
  if (selection === undefined) {
    selection = makeSelection(mapper, alias ?? mapper.table.tableName, prefix);
    known.named.set(name, selection);
  }
  return selection;
}

function makeSelection(mapper: Mapper, alias: string, prefix: string | undefined): EntitySelection {
  const relatives = mapper.isPolymorphic ? [...mapper.family()] : [mapper];
  const tables = [...new Set(relatives.flatMap((relative) => relative.tables))];
  const isJoined = tables.length > 1;
  const names = namesIn(relatives, isJoined);
  const rowKeys = new Map(
    [...names].map(([property, name], index) => [property, prefix === undefined ? name : `${prefix}${index}`]),
  );
  const columns = new Map(
    relatives.map((relative) => [
      relative,
      relative.properties.map((property) => ({ rowKey: rowKeys.get(property)!, property })),
    ]),
  );
  const selections = [...rowKeys].map(([property, rowKey]) => {
    const reference = columnOf(alias, isJoined ? names.get(property)! : property.name);
    return SelectionNode.create(
      rowKey === property.name ? reference : AliasNode.create(reference, IdentifierNode.create(rowKey)),
    );
  });
  const { tableName, node } = mapper.table;
  const source =
    isJoined || alias !== tableName
      ? AliasNode.create(isJoined ? joinOf(mapper, tables, names) : node, IdentifierNode.create(alias))
      : node;
  const condition = singleTableCriterion(mapper, alias);
  const isAlone = columns.get(mapper)!.every(({ rowKey, property }) => rowKey === property.name);
  const { revision } = mapper;
  return { mapper, alias, source, isJoined, selections, condition, columns, isAlone, revision };
}

/** As long as every database keeps the name of a column. */
const LONGEST_ROW_KEY = 63;

/**
 * The names of the properties of several classes in one row.
 *
 * @param foldsCase whether they must differ in more than case, for a subquery on a database that ignores case
 */
function namesIn(mappers: readonly Mapper[], foldsCase: boolean): Map<MappedProperty, string> {
  const folded = (name: string) => (foldsCase ? name.toLowerCase() : name);
  const names = new Map<MappedProperty, string>();
  const taken = new Set<string>();
  for (const property of mappers.flatMap(({ properties }) => properties)) {
    if (names.has(property)) continue;
    let name = shortenedName(property.name, LONGEST_ROW_KEY);
    for (let count = 1; taken.has(folded(name)); count++) {
      const whole = `${property.table.tableName}.${property.name}${count === 1 ? "" : `.${count}`}`;
      name = shortenedName(whole, LONGEST_ROW_KEY);
    }
    names.set(property, name);
    taken.add(folded(name));
  }
  return names;
}

/** The join of the tables that rows are spread over: the own and the parents' rows are there, a child's may be. */
function joinOf(
  mapper: Mapper,
  tables: readonly AnyTable[],
  keys: ReadonlyMap<MappedProperty, string>,
): SelectQueryNode {
  const [root, ...others] = tables as [AnyTable, ...AnyTable[]];
  const joins = others.map((table) =>
    JoinNode.createWithOn(
      mapper.tables.includes(table) ? "InnerJoin" : "LeftJoin",
      table.node,
      allOf(
        table.primaryKey.map((column, index) =>
          equals(reference(table, column.property), reference(root, root.primaryKey[index]!.property)),
        ),
      ),
    ),
  );
  const selections = [...keys].map(([property, rowKey]) =>
    SelectionNode.create(AliasNode.create(reference(property.table, property.name), IdentifierNode.create(rowKey))),
  );
  return Object.freeze({
    kind: "SelectQueryNode",
    from: FromNode.create([root.node]),
    joins,
    selections,
  } satisfies SelectQueryNode);
}

function columnOf(alias: string, name: string): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias));
}

function reference(table: AnyTable, name: string): ReferenceNode {
  const node =
    table.schema === undefined
      ? TableNode.create(table.tableName)
      : TableNode.createWithSchema(table.schema, table.tableName);
  return ReferenceNode.create(ColumnNode.create(name), node);
}

function equals(left: OperationNode, right: OperationNode): OperationNode {
  return BinaryOperationNode.create(left, OperatorNode.create("="), right);
}

function allOf(conditions: readonly OperationNode[]): OperationNode {
  return conditions.reduce((all, condition) => AndNode.create(all, condition));
}
