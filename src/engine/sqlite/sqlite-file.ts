import { isAbsolute, join } from "node:path";
import { InvalidUrlError } from "../../errors/configuration.ts";
import type { LocatedUrl } from "../family.ts";
import type { DatabaseUrl } from "../options/database-url.ts";
import { timeout } from "../options/duration.ts";
import { fileUri, isFileUri } from "./file-uri.ts";

/** The facts in a SQLite URL about its file. */
export interface SqliteFile {
  /** The path; `undefined` for a database in memory. */
  readonly path: string | undefined;
  readonly readOnly: boolean;
  readonly mustExist: boolean;
  /** How long to try while another process holds the file's lock, in milliseconds, where the URL says so. */
  readonly lockTimeout: number | undefined;
}

const MODES = new Set(["ro", "rw", "rwc", "memory"]);
const PARAMETERS = new Set(["uri", "mode", "timeout"]);

/**
 * Reads the file out of a SQLite URL.
 *
 * @throws {InvalidUrlError} on a parameter that has no meaning here
 */
export function sqliteFile(url: DatabaseUrl): SqliteFile {
  for (const name of Object.keys(url.query)) {
    if (!PARAMETERS.has(name)) {
      throw new InvalidUrlError(
        `The SQLite URL "${url}" has a parameter "${name}"; there are uri, mode (ro, rw, rwc, memory) and timeout.`,
      );
    }
  }
  const uri = isFileUri(url);
  const mode = url.query["mode"] ?? "rwc";
  if (!MODES.has(mode)) {
    throw new InvalidUrlError(`The SQLite URL "${url}" has mode "${mode}"; there are ro, rw, rwc and memory.`);
  }
  return {
    path: url.isMemory ? undefined : uri ? pathOfUri(url) : url.database,
    readOnly: mode === "ro",
    mustExist: mode === "ro" || mode === "rw",
    lockTimeout: url.query["timeout"] === undefined ? undefined : timeout(url.query["timeout"], `timeout in "${url}"`),
  };
}

/** The path that a `file:` URI leads to. */
function pathOfUri(url: DatabaseUrl): string {
  try {
    return decodeURIComponent(url.database!.slice("file:".length));
  } catch {
    throw new InvalidUrlError(`The SQLite URL "${url}" has a "%" that begins no escape; write %25 for a percent sign.`);
  }
}

/** Puts a relative path below a folder. */
export function locateSqlite(url: DatabaseUrl, folder: string): LocatedUrl {
  if (sqliteFile(url).path === undefined) return { url };
  const isUri = isFileUri(url);
  const path = isUri ? pathOfUri(url) : url.database!;
  if (isAbsolute(path)) return { url };
  const located = join(folder, path);
  return { url: url.with({ database: isUri ? fileUri(located) : located }), directory: folder };
}
