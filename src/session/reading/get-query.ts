import {
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  SelectionNode,
  SelectModifierNode,
  type SelectQueryNode,
  TableNode,
  ValueNode,
  WhereNode,
} from "kysely";
import type { EngineQuery } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import { compileStatement } from "../../engine/statement/compile-statement.ts";
import type { Mapper } from "../../model/mapper.ts";
import { type EntitySelection, entitySelection } from "../../query/select/entity-selection.ts";
import type { DriverRow } from "./row-functions.ts";

type Templates = WeakMap<EntitySelection, EngineQuery<DriverRow>>;

const readers = new WeakMap<Engine, Templates>();
const lockers = new WeakMap<Engine, Templates>();
const rootLockers = new WeakMap<Engine, Templates>();

/** The statement that reads a row by its key. Compiled once for a model and an engine. */
export function getQuery(mapper: Mapper, engine: Engine, key: readonly unknown[]): EngineQuery<DriverRow> {
  return withKey(template(readers, mapper, engine, nodeFor), mapper, engine, key);
}

/**
 * The statement that locks a row by its key, and reads it; of a row that is spread over joined tables only the root's is
 * locked, and nothing read, since databases differ in what they lock of a join.
 */
export function lockQuery(mapper: Mapper, engine: Engine, key: readonly unknown[]): EngineQuery<DriverRow> {
  const locked = isSpread(mapper) ? mapper.root : mapper;
  const nodeOf = locked === mapper ? nodeFor : keyNode;
  const make = engine.family.locksRows ? (selection: EntitySelection) => locking(nodeOf(selection)) : nodeOf;
  return withKey(template(locked === mapper ? lockers : rootLockers, locked, engine, make), locked, engine, key);
}

/** Whether a model's rows are spread over joined tables. */
export function isSpread(mapper: Mapper): boolean {
  return entitySelection(mapper).isJoined;
}

function withKey(
  query: EngineQuery<DriverRow>,
  mapper: Mapper,
  engine: Engine,
  key: readonly unknown[],
): EngineQuery<DriverRow> {
  const written = mapper.key.map(({ column }, part) => engine.converter(column).write(key[part]));
  // The key's parameters come first.
  return { ...query, parameters: [...written, ...query.parameters.slice(written.length)] };
}

function template(
  cache: WeakMap<Engine, Templates>,
  mapper: Mapper,
  engine: Engine,
  nodeOf: (selection: EntitySelection) => SelectQueryNode,
): EngineQuery<DriverRow> {
  let templates = cache.get(engine);
  if (templates === undefined) {
    templates = new WeakMap();
    cache.set(engine, templates);
  }
  const selection = entitySelection(mapper);
  let query = templates.get(selection);
  if (query === undefined) {
    query = { ...compileStatement<DriverRow>(engine, nodeOf(selection), undefined).query, prepare: true };
    templates.set(selection, query);
  }
  return query;
}

function nodeFor({ mapper, alias, source, selections, condition }: EntitySelection): SelectQueryNode {
  const isKey = keyCondition(mapper, alias);
  const where = condition === undefined ? isKey : AndNode.create(ParensNode.create(isKey), condition);
  return { kind: "SelectQueryNode", from: FromNode.create([source]), selections, where: WhereNode.create(where) };
}

/** Reads nothing but the key of a row of one table. */
function keyNode({ mapper, alias }: EntitySelection): SelectQueryNode {
  return {
    kind: "SelectQueryNode",
    from: FromNode.create([mapper.table.node]),
    selections: mapper.key.map(({ name }) => SelectionNode.create(reference(alias, name))),
    where: WhereNode.create(keyCondition(mapper, alias)),
  };
}

function locking(node: SelectQueryNode): SelectQueryNode {
  return { ...node, endModifiers: [SelectModifierNode.create("ForUpdate")] };
}

function keyCondition({ key }: Mapper, alias: string): OperationNode {
  return key
    .map(
      ({ name }): OperationNode =>
        BinaryOperationNode.create(reference(alias, name), OperatorNode.create("="), ValueNode.create(null)),
    )
    .reduce((all, part) => AndNode.create(all, part));
}

function reference(alias: string, name: string): ReferenceNode {
  return ReferenceNode.create(ColumnNode.create(name), TableNode.create(alias));
}
