import {
  type CompiledQuery,
  DefaultQueryCompiler,
  type QueryCompiler,
  type QueryId,
  type RootOperationNode,
} from "kysely";
import { type BindKey, bindLabel } from "../../bind-key.ts";
import { quotedName } from "../../errors/name-list.ts";
import { InvalidNameError } from "../../errors/schema.ts";
import { isNode } from "../statement/nodes.ts";
import { type NameRules, storedNameRefusal } from "./name-rules.ts";

/** Nodes that hold the application's values, which may look like nodes. */
const VALUES = new Set(["ValueNode", "PrimitiveValueListNode"]);

/** The engine that statements are compiled for. */
interface Target {
  readonly bindKey: BindKey;
  readonly family: { readonly names: NameRules };
}

/** The method through which Kysely's compilers write every name. */
interface WritesNames {
  sanitizeIdentifier(name: string): string;
}

/**
 * Makes a compiler that belongs to the caller refuse names that the database would not keep.
 *
 * @throws {InvalidNameError} when it compiles a statement with such a name
 */
export function refusingNames(compiler: QueryCompiler, { bindKey, family: { names } }: Target): QueryCompiler {
  /** Names of the statement that are good only for some uses. */
  let doubtful: Set<string> | undefined;
  const look = (name: string): void => {
    const reason = names.refusal(name);
    if (reason !== undefined) throw invalid(name, reason, bindKey);
    if (names.storedRefusal?.(name) === undefined && names.aliasRefusal?.(name) === undefined) return;
    doubtful ??= new Set();
    doubtful.add(name);
  };
  const isSeen = compiler instanceof DefaultQueryCompiler;
  if (isSeen) {
    // The method is protected; a subclass is out of reach where a dialect brings its own compiler.
    const writer = compiler as unknown as WritesNames;
    const sanitize = writer.sanitizeIdentifier;
    writer.sanitizeIdentifier = function (this: WritesNames, name) {
      look(name);
      return sanitize.call(this, name);
    };
  }
  return {
    compileQuery(node: RootOperationNode, queryId: QueryId): CompiledQuery {
      doubtful = undefined;
      if (!isSeen) for (const name of namesIn(node).all) look(name);
      const query = compiler.compileQuery(node, queryId);
      if (doubtful !== undefined) requireUses(doubtful, node);
      return query;
    },
  };

  function requireUses(doubted: ReadonlySet<string>, node: RootOperationNode): void {
    const { aliases, columnAliases } = namesIn(node);
    for (const name of doubted) {
      const reason =
        (aliases.has(name) ? undefined : names.storedRefusal?.(name)) ??
        (columnAliases.has(name) ? names.aliasRefusal?.(name) : undefined);
      if (reason !== undefined) throw invalid(name, reason, bindKey);
    }
  }
}

/**
 * Refuses a name of a statement that is sent by itself, such as that of a savepoint.
 *
 * @throws {InvalidNameError}
 */
export function requireStatementName(name: string, { bindKey, family: { names } }: Target): void {
  const reason = storedNameRefusal(names, name);
  if (reason !== undefined) throw invalid(name, reason, bindKey);
}

interface Names {
  readonly all: Set<string>;
  /** Names that the statement itself gives, or may give: to columns, tables and common table expressions. */
  readonly aliases: Set<string>;
  readonly columnAliases: Set<string>;
}

/** The names in a statement's tree by their use. */
function namesIn(node: RootOperationNode): Names {
  const names: Names = { all: new Set(), aliases: new Set(), columnAliases: new Set() };
  collect(node, names, undefined);
  return names;
}

function collect(part: unknown, names: Names, parent: string | undefined): void {
  if (Array.isArray(part)) {
    for (const member of part) collect(member, names, parent);
    return;
  }
  if (!isNode(part) || VALUES.has(part.kind)) return;
  if (part.kind === "IdentifierNode" && "name" in part && typeof part.name === "string") {
    names.all.add(part.name);
    // In SQL text nothing says what a name is for.
    if (parent === "RawNode") names.aliases.add(part.name);
  }
  if (part.kind === "AliasNode" && "alias" in part) {
    const alias = new Set<string>();
    collect(part.alias, { ...names, all: alias }, part.kind);
    for (const name of alias) names.aliases.add(name);
    if (parent === "SelectionNode") for (const name of alias) names.columnAliases.add(name);
  }
  if (part.kind === "CommonTableExpressionNameNode")
    collect(Object.values(part), { ...names, all: names.aliases }, part.kind);
  for (const member of Object.values(part)) collect(member, names, part.kind);
}

function invalid(identifier: string, reason: string, bindKey: BindKey): InvalidNameError {
  return new InvalidNameError(
    `Cannot use the name ${quotedName(identifier)} in a statement on ${bindLabel(bindKey)}: ${reason}. ` +
      "Choose another name or alias.",
    { bindKey, identifier },
  );
}
