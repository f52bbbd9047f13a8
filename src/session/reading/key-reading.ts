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
import { type EngineQuery, withParameters } from "../../engine/driver.ts";
import type { Engine } from "../../engine/engine.ts";
import { compileStatement } from "../../engine/statement/compile-statement.ts";
import type { ColumnConverter } from "../../engine/values/column-converter.ts";
import type { Mapper } from "../../model/mapper.ts";
import { type EntitySelection, entitySelection, isOutdated } from "../../query/select/entity-selection.ts";
import type { Router } from "../router.ts";
import { type Hydrator, hydratorFor } from "./hydration.ts";
import type { DriverRow } from "./row-functions.ts";

/** How entities of a model are read by their keys on one engine. Statements are compiled when first needed. */
export class KeyReading {
  readonly engine: Engine;
  readonly selection: EntitySelection;
  readonly hydrator: Hydrator;
  readonly #key: readonly ColumnConverter[];
  #reading: EngineQuery<DriverRow> | undefined;
  #locking: EngineQuery<DriverRow> | undefined;

  constructor(selection: EntitySelection, engine: Engine) {
    this.engine = engine;
    this.selection = selection;
    this.hydrator = hydratorFor(selection, engine);
    this.#key = selection.mapper.key.map(({ column }) => engine.converter(column));
  }

  /** Whether the model's rows are spread over joined tables. */
  get isSpread(): boolean {
    return this.selection.isJoined;
  }

  /** The statement that reads the row with a key. */
  reading(key: readonly unknown[]): EngineQuery<DriverRow> {
    this.#reading ??= this.#compile(nodeFor(this.selection));
    return this.#withKey(this.#reading, key);
  }

  /**
   * The statement that locks the row with a key, and reads it; of a row that is spread over joined tables only the root's
   * is locked, and nothing read, since databases differ in what they lock of a join.
   */
  locking(key: readonly unknown[]): EngineQuery<DriverRow> {
    this.#locking ??= this.#compile(this.#lockingNode());
    return this.#withKey(this.#locking, key);
  }

  #lockingNode(): SelectQueryNode {
    const { selection, engine, isSpread } = this;
    const node = isSpread ? keyNode(entitySelection(selection.mapper.root)) : nodeFor(selection);
    return engine.family.locksRows ? locking(node) : node;
  }

  #compile(node: SelectQueryNode): EngineQuery<DriverRow> {
    const { query } = compileStatement<DriverRow>(this.engine, node, undefined);
    return { ...query, prepare: true, single: true };
  }

  #withKey(query: EngineQuery<DriverRow>, key: readonly unknown[]): EngineQuery<DriverRow> {
    // The key's parameters come first.
    const parameters = query.parameters.slice();
    for (let part = 0; part < key.length; part++) parameters[part] = this.#key[part]!.encode(key[part]);
    return withParameters(query, parameters);
  }
}

/** How entities of each model are read by their keys in one application. */
export class KeyReadings {
  readonly #router: Router;
  readonly #byMapper = new WeakMap<Mapper, KeyReading>();

  private constructor(router: Router) {
    this.#router = router;
  }

  /** Those of an application; its sessions share them. */
  static of(router: Router): KeyReadings {
    let readings = known.get(router);
    if (readings === undefined) {
      readings = new KeyReadings(router);
      known.set(router, readings);
    }
    return readings;
  }

  /** @throws {UnboundExecutionError} if no engine is configured for the model's bind */
  for(mapper: Mapper): KeyReading {
    const engine = this.#router.forTable(mapper.table);
    const reading = this.#byMapper.get(mapper);
    if (reading?.engine === engine && !isOutdated(reading.selection)) return reading;
    const made = new KeyReading(entitySelection(mapper), engine);
    this.#byMapper.set(mapper, made);
    return made;
  }
}

const known = new WeakMap<Router, KeyReadings>();

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
