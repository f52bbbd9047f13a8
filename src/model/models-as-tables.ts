import { Command, ControlledTransactionBuilder, Kysely, SchemaModule } from "kysely";
import { assignedValues } from "./assigned-values.ts";
import { thenOfBuilder } from "./awaited-builder.ts";
import { afterTransaction, builderError, ofCallback, requireCondition, takesCondition } from "./builder-errors.ts";
import { type ModelWrites, modelWrites, tableOfModel } from "./model-writes.ts";
import { noResultArgument } from "./no-result.ts";
import { withSingleTableCriterion } from "./single-table-criterion.ts";

/** A whole Kysely that takes models and tables for the tables that it writes, too. */
export type ModelKysely<DB> = Kysely<DB> & ModelWrites<DB>;

/** The builder behind a view of it. */
const TARGET: unique symbol = Symbol("multibind.target");

/**
 * Lets a model stand wherever one of Kysely's builders takes a table: in arguments, in arrays of them, and in callbacks.
 *
 * Kysely calls every function that it is given, so a class cannot reach it. The builders themselves are untouched: this
 * is a thin view of them that turns models into tables on the way in.
 */
export function modelsAsTables<T extends object>(builder: T): T {
  return view(builder);
}

/** What begins a statement with tables whose rows it reads, updates or deletes. */
const BEGINNINGS: ReadonlySet<string | symbol> = new Set(["selectFrom", "updateTable", "deleteFrom"]);

const handler: ProxyHandler<object> = {
  get(target, name) {
    if (name === TARGET) return target;
    // Kysely's builders keep private members, so their methods run on the builder itself.
    const member: unknown = Reflect.get(target, name, target);
    if (typeof member === "function") {
      if (target instanceof Kysely && isWrite(name)) {
        // Of a model or table; a name goes to Kysely's own method.
        const writes = modelWrites<object>(target.getExecutor());
        return (into: unknown, ...others: unknown[]) =>
          typeof into === "string"
            ? outward(Reflect.apply(member, target, [into, ...others]))
            : outward(writes[name](into as never));
      }
      // An expression builder is a function that has members of its own, and so is what it calls functions with.
      if ("selectFrom" in member || name === "fn") return view(member);
      if (name === "executeTakeFirstOrThrow")
        return (...values: unknown[]) => {
          // Kysely's method is async.
          const result = Reflect.apply(member, target, values.map(noResultArgument)) as Promise<unknown>;
          return result.catch(throwOurs);
        };
      return (...values: unknown[]) => {
        if (takesCondition(target, name)) requireCondition(name, values);
        const given = assignedValues(name, values).map(inward);
        const result = called(member, target, given, name);
        if (result instanceof Promise) return result.then(givesTransaction(target) ? outward : undefined, throwOurs);
        return outward(BEGINNINGS.has(name) ? withSingleTableCriterion(result, values[0]) : result);
      };
    }
    if (name === "then") return thenOfBuilder(target);
    return member instanceof SchemaModule ? view(member) : member;
  },
  apply(target, _, values) {
    // Only builders that are functions come here: the expression builder, and its functions.
    return outward(called(target as CallableFunction, undefined, values.map(inward), "expression"));
  },
};

/** Returns the result of a method of Kysely's. @throws {InvalidStatementError} if it does not take its arguments */
function called(method: CallableFunction, builder: unknown, values: unknown[], name: string | symbol): unknown {
  try {
    return Reflect.apply(method, builder, values);
  } catch (error) {
    throw builderError(name, error);
  }
}

/** @throws the error of ours for one with which a promise of Kysely's was rejected */
function throwOurs(error: unknown): never {
  throw afterTransaction(error);
}

/** Whether it is executed to get a transaction, which begins statements like the Kysely that began it. */
function givesTransaction(builder: object): boolean {
  return builder instanceof ControlledTransactionBuilder || builder instanceof Command;
}

function isWrite(name: string | symbol): name is keyof ModelWrites<object> {
  return name === "insertInto" || name === "replaceInto" || name === "mergeInto";
}

function view<T extends object>(target: T): T {
  return new Proxy(target, handler as ProxyHandler<T>);
}

function inward(value: unknown): unknown {
  if (typeof value === "function") {
    const table = tableOfModel(value);
    if (table !== value) return table;
    const target = (value as { readonly [TARGET]?: unknown })[TARGET];
    if (target !== undefined) return target;
    return (...given: unknown[]) => {
      const views = given.map(outward);
      try {
        return inward((value as (...all: unknown[]) => unknown)(...views));
      } catch (error) {
        throw ofCallback(error);
      }
    };
  }
  if (Array.isArray(value)) return value.map(inward);
  if (typeof value !== "object" || value === null) return value;
  return (value as { readonly [TARGET]?: unknown })[TARGET] ?? inwardMembers(value);
}

/** The values of a new row and the like, in which a callback or a subquery may stand for a value. */
function inwardMembers(value: object): object {
  if (Object.getPrototypeOf(value) !== Object.prototype) return value;
  const entries = Object.entries(value);
  if (!entries.some(([, member]) => isCallbackOrView(member))) return value;
  return Object.fromEntries(
    entries.map(([name, member]) => [name, isCallbackOrView(member) ? inward(member) : member]),
  );
}

function isCallbackOrView(value: unknown): boolean {
  if (typeof value === "function") return true;
  return (
    typeof value === "object" && value !== null && (value as { readonly [TARGET]?: unknown })[TARGET] !== undefined
  );
}

function outward(value: unknown): unknown {
  if (typeof value === "function") return view(value);
  return isBuilder(value) ? view(value) : value;
}

/** Builders are instances of Kysely's classes; results, nodes and promises are not. */
function isBuilder(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value) || value instanceof Promise) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype !== Object.prototype && prototype !== null && !(Symbol.asyncIterator in value) && !isFrozenData(value)
  );
}

function isFrozenData(value: object): boolean {
  return value instanceof Date || value instanceof Uint8Array || value instanceof Error;
}
