import { type BindKey, bindLabel } from "../../bind-key.ts";
import { MissingDriverError } from "../../errors/configuration.ts";

const found = new Map<string, boolean>();

/**
 * Checks that a driver's package can be loaded, without loading it.
 *
 * @param bindKey the bind that needs it
 * @throws {MissingDriverError} naming the package to install
 */
export function requireDriver(packageName: string, bindKey: BindKey): void {
  let installed = found.get(packageName);
  if (installed === undefined) {
    installed = canResolve(packageName);
    found.set(packageName, installed);
  }
  if (!installed) {
    throw new MissingDriverError(
      `The database of ${bindLabel(bindKey)} needs the package "${packageName}", which is not installed. ` +
        `Run \`npm install ${packageName}\`, or give the module itself as the option \`driver\`.`,
      { bindKey },
    );
  }
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
export function isDriverModule(given: unknown, member: string | undefined): boolean {
  if (given === null || (typeof given !== "object" && typeof given !== "function")) return false;
  const exported = exportsOf(given);
  // Whatever it is, a member that it lacks is undefined.
  return typeof (member === undefined ? exported : (exported as Record<string, unknown>)[member]) === "function";
}
