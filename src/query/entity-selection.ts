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
  PrimitiveValueListNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  TableNode,
} from "kysely";
import type { MappedProperty, Mapper } from "../model/mapper.ts";
import type { AnyTable } from "../schema/table.ts";

/** A column of the rows that entities are made from. */
export interface EntityColumn {
  /** What the column is called in the rows. */
  readonly rowKey: string;
  readonly property: MappedProperty;
}

/** From where and by which columns entities of a model are read. */
export interface EntitySelection {
  readonly mapper: Mapper;
  /** What the model is called in a statement. */
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
}

interface Cached {
  readonly revision: number;
  readonly selection: EntitySelection;
}

const cache = new WeakMap<Mapper, Cached>();

/** How entities of a model, and of the children that a row of it can be, are read. */
export function entitySelection(mapper: Mapper): EntitySelection {
  const known = cache.get(mapper);
  if (known !== undefined && known.revision === mapper.revision) return known.selection;
  const selection = makeSelection(mapper);
  cache.set(mapper, { revision: mapper.revision, selection });
  return selection;
}

function makeSelection(mapper: Mapper): EntitySelection {
  const relatives = mapper.isPolymorphic ? [...mapper.family()] : [mapper];
  const keys = new Map<MappedProperty, string>();
  const taken = new Set<string>();
  for (const property of relatives.flatMap(({ properties }) => properties)) {
    if (keys.has(property)) continue;
    const rowKey = taken.has(property.name) ? `${property.table.tableName}.${property.name}` : property.name;
    keys.set(property, rowKey);
    taken.add(rowKey);
  }
  const columns = new Map(
    relatives.map((relative) => [
      relative,
      relative.properties.map((property) => ({ rowKey: keys.get(property)!, property })),
    ]),
  );
  const alias = mapper.table.tableName;
  const tables = [...new Set(relatives.flatMap((relative) => relative.tables))];
  const joined = tables.length > 1;
  const selections = [...keys].map(([property, rowKey]) => {
    const reference = columnOf(alias, joined ? rowKey : property.name);
    return SelectionNode.create(
      rowKey === property.name ? reference : AliasNode.create(reference, IdentifierNode.create(rowKey)),
    );
  });
  const source = joined
    ? AliasNode.create(joinOf(mapper, tables, keys), IdentifierNode.create(alias))
    : mapper.table.node;
  return { mapper, alias, source, isJoined: joined, selections, condition: conditionOf(mapper, alias), columns };
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

function conditionOf(mapper: Mapper, alias: string): OperationNode | undefined {
  const { parent, discriminator } = mapper;
  if (parent === undefined || discriminator === undefined || parent.table !== mapper.table) return undefined;
  const identities = [...mapper.family()].map((relative) => relative.identity);
  return BinaryOperationNode.create(
    columnOf(alias, discriminator),
    OperatorNode.create("in"),
    PrimitiveValueListNode.create(identities),
  );
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
