import { type OperationNode, RawNode, type SelectQueryNode, ValueNode } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { TypeKind } from "../schema/logical-type.ts";

/** A column of rows that become JSON. */
export interface JsonField {
  readonly name: string;
  readonly value: OperationNode;
  /** The kind of its type, where it is known. */
  readonly kind: TypeKind | undefined;
}

/** A query, translated, whose rows become JSON: a list of objects, or its one row as an object. */
export interface JsonQuery {
  /** The bind, for the messages of errors. */
  readonly bindKey: BindKey;
  readonly select: SelectQueryNode;
  readonly shape: "array" | "object";
  readonly fields: readonly JsonField[];
}

/** How values are written that JSON does not have, or not exactly: the SQL around each mention of the value. */
export type JsonCasts = Readonly<Partial<Record<TypeKind, readonly string[]>>>;

/** A value as JSON has it. */
export function asJson(casts: JsonCasts, { kind }: JsonField, value: OperationNode): OperationNode {
  const cast = kind === undefined ? undefined : casts[kind];
  return cast === undefined ? value : RawNode.create(cast, new Array<OperationNode>(cast.length - 1).fill(value));
}

/** The object of these members, made by the function `json_object`. */
export function jsonObject(members: readonly { readonly name: string; readonly value: OperationNode }[]): RawNode {
  const parameters = members.flatMap(({ name, value }) => [ValueNode.createImmediate(name), value]);
  return RawNode.create(
    ["json_object(", ...new Array<string>(Math.max(parameters.length - 1, 0)).fill(", "), ")"],
    parameters,
  );
}
