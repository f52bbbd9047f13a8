import { MissingDriverError } from "../errors/configuration.ts";

const found = new Map<string, boolean>();

/**
 * Checks that a driver's package can be loaded, without loading it.
 *
 * @param where which bind needs it, for the error
 * @throws {MissingDriverError} naming the package to install
 */
export function requireDriver(packageName: string, where: string): void {
  let installed = found.get(packageName);
  if (installed === undefined) {
    installed = canResolve(packageName);
    found.set(packageName, installed);
  }
  if (!installed) {
    throw new MissingDriverError(
      `The database of ${where} needs the package "${packageName}", which is not installed. ` +
        `Run \`npm install ${packageName}\`, or give the module itself as the option \`driver\`.`,
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
