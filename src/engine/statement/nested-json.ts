import { AliasNode, ColumnNode, IdentifierNode, type OperationNode, type RawNode, ReferenceNode } from "kysely";
import { bindLabel } from "../../bind-key.ts";
import { InvalidValueError } from "../../errors/value.ts";
import type { NestedRows } from "./nested-rows.ts";
import type { Scope } from "./scope.ts";
import { translateSelect } from "./select.ts";
import type { Translator } from "./translator.ts";

/**
 * Translates a query whose rows become JSON.
 *
 * @throws {InvalidValueError} if a column of it has no name
 * @throws {UnsupportedError} if the database cannot nest such a query
 */
export function translateNested(translator: Translator, { query, shape }: NestedRows, scope: Scope): RawNode {
  const { bindKey, family } = translator.engine;
  const inside = translator.resolver.open(query, scope);
  const select = translateSelect(translator, query, inside, { spellsOut: true });
  const kinds = new Map(
    translator.resolver
      .outputs(query, inside)
      .columns.map(({ name, converter }) => [name, converter?.column.definition.type.kind]),
  );
  const fields = (select.selections ?? []).map(({ selection }) => {
    const { name, value } = namedValue(translator, selection);
    return { name, value, kind: kinds.get(name) };
  });
  return family.rowsAsJson({ bindKey, select, shape, fields });
}

function namedValue(
  { engine: { bindKey } }: Translator,
  selection: OperationNode,
): { name: string; value: OperationNode } {
  if (AliasNode.is(selection) && IdentifierNode.is(selection.alias))
    return { name: selection.alias.name, value: selection.node };
  if (ReferenceNode.is(selection) && ColumnNode.is(selection.column))
    return { name: selection.column.column.name, value: selection };
  throw new InvalidValueError(
    `Every column of nested rows (${bindLabel(bindKey)}) needs a name: give expressions an alias, and name the columns of ` +
      "tables that are not described.",
    { bindKey },
  );
}
