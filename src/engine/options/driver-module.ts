import { type BindKey, bindLabel } from "../../bind-key.ts";
import { MissingDriverError } from "../../errors/configuration.ts";
import { ownFolder } from "../../own-folder.ts";
import type { BuiltInDriver } from "../family.ts";

const found = new Map<string, boolean>();

/**
 * Checks that a driver's package can be loaded, without loading it. In a bundle, the check is left to the import.
 *
 * @param builtIn what of Node.js does instead, if something does
 * @param bindKey the bind that needs it
 * @throws {MissingDriverError} naming the package to install
 */
export function requireDriver(packageName: string, builtIn: string | undefined, bindKey: BindKey): void {
  if (isBundled()) return;
  let installed = found.get(packageName);
  if (installed === undefined) {
    installed = canResolve(packageName);
    found.set(packageName, installed);
  }
  if (!installed) throw missingDriver(packageName, builtIn, bindKey);
}

/**
 * Handles the failed import of a driver. Bundlers find the package by the literal name in `import("pg")`, and accept that
 * it is not installed where the failure is handled right there.
 *
 * @returns a function that always throws: {@link MissingDriverError} if the package is not installed, else its argument
 */
export function importFailure(packageName: string, bindKey: BindKey, builtIn?: string): (error: unknown) => never {
  return (error) => {
    throw isNotFound(error, packageName) ? missingDriver(packageName, builtIn, bindKey, error) : error;
  };
}

function missingDriver(
  packageName: string,
  builtIn: string | undefined,
  bindKey: BindKey,
  cause?: unknown,
): MissingDriverError {
  return new MissingDriverError(
    `The database of ${bindLabel(bindKey)} needs the package "${packageName}", which is not installed${isBundled() ? " or not in the bundle" : ""}. ` +
      `Run \`npm install ${packageName}\`, or give the module itself as the option \`driver\`` +
      `${builtIn === undefined ? "" : `, or instead of it ${builtIn}`}.`,
    { bindKey, ...(cause === undefined ? {} : { cause }) },
  );
}

/** Node.js and Bun have a code for it, Deno and the stand-ins of bundlers have a message. */
function isNotFound(error: unknown, packageName: string): boolean {
  if (!(error instanceof Error)) return false;
  const { code, message } = error as NodeJS.ErrnoException;
  if (!new RegExp(`["'\`]${packageName}["'\`]`).test(message)) return false;
  return (
    code === "ERR_MODULE_NOT_FOUND" || code === "MODULE_NOT_FOUND" || /not resolve|not a dependency/i.test(message)
  );
}

/** Kysely is there wherever multibind is installed as a package. */
function isBundled(): boolean {
  return ownFolder === undefined || !canResolve("kysely");
}

function canResolve(packageName: string): boolean {
  try {
    import.meta.resolve(packageName);
    return true;
  } catch {
    return false;
  }
}

/** The module that an application handed over, or what importing it gives: CommonJS modules keep their exports in `default`. */
export function exportsOf(module: unknown): unknown {
  const { default: exported } = module as { readonly default?: unknown };
  return exported ?? module;
}

/** Whether what an application handed over as a driver has what is used of it. */
export function isDriverModule(
  given: unknown,
  member: string | undefined,
  builtIn: BuiltInDriver | undefined,
): boolean {
  if (given === null || (typeof given !== "object" && typeof given !== "function")) return false;
  const exported = exportsOf(given);
  if (builtIn?.is(exported) === true) return true;
  // Whatever it is, a member that it lacks is undefined.
  return typeof (member === undefined ? exported : (exported as Record<string, unknown>)[member]) === "function";
}
