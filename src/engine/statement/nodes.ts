import type { OperationNode, RawNode } from "kysely";

/** Whether something in a tree is a node. Values of parameters may look like one: never ask about them. */
export function isNode(thing: unknown): thing is OperationNode {
  return typeof thing === "object" && thing !== null && "kind" in thing && typeof thing.kind === "string";
}

/** A node whose properties, other than those left undefined, went through `map`: itself where none changed. */
export function mapNode<T extends OperationNode>(node: T, map: (value: unknown, property: string) => unknown): T {
  let changed: Record<string, unknown> | undefined;
  for (const property in node) {
    const value = node[property];
    if (value === undefined) continue;
    const mapped = map(value, property);
    if (mapped === value) continue;
    changed ??= { ...(node as OperationNode & Record<string, unknown>) };
    changed[property] = mapped;
  }
  // The copy has the properties of the node, each with another value of its kind.
  return changed === undefined ? node : (Object.freeze(changed) as unknown as T);
}

/** A node with another list in one of its properties: itself where that is the same. */
export function withList<T extends OperationNode>(node: T, property: keyof T, list: unknown): T {
  return node[property] === list ? node : Object.freeze({ ...node, [property]: list });
}

/** A list whose items went through `map`: itself where none changed. */
export function mapList<T>(list: readonly T[], map: (item: T, index: number) => T): readonly T[] {
  let changed: T[] | undefined;
  for (let index = 0; index < list.length; index++) {
    const item = list[index]!;
    const mapped = map(item, index);
    if (mapped === item) continue;
    changed ??= [...list];
    changed[index] = mapped;
  }
  return changed === undefined ? list : Object.freeze(changed);
}

/** The parts of a template that is one node without text: `sql.ref("a")`, `sql.val(1)`, `typed(…)`. */
export function soleChild({ sqlFragments, parameters }: RawNode): OperationNode | undefined {
  return parameters.length === 1 && isTextless(sqlFragments) ? parameters[0] : undefined;
}

/** Whether a template has nothing but parameters, as `sql.join` makes it. */
export function isTextless(sqlFragments: readonly string[]): boolean {
  return sqlFragments.every((fragment) => fragment === "");
}
