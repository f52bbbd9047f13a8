import { basename, dirname } from "node:path";

/**
 * The folder of multibind's own modules. Undefined in a bundle, where one file holds them together with the
 * application's.
 */
export const ownFolder: string | undefined = folderOf(import.meta);

/** A bundle in CommonJS form has an empty `import.meta`. */
function folderOf({ filename }: { readonly filename?: string }): string | undefined {
  return filename !== undefined && /^own-folder\.[jt]s$/.test(basename(filename)) ? dirname(filename) : undefined;
}
