import { readFile } from "node:fs/promises";
import type { DatabaseUrl } from "./database-url.ts";

/** What encrypts a connection, as `node:tls` takes it. */
export interface Certificates {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
}

/**
 * Reads the files that parameters of a URL name; undefined where it names none.
 *
 * @param parameters what a family calls them
 */
export async function certificatesOf(
  { query }: DatabaseUrl,
  parameters: Readonly<Record<keyof Certificates, string>>,
): Promise<Certificates | undefined> {
  const files = Object.entries(parameters).flatMap(([part, name]) => {
    const path = query[name];
    // `libpq` calls the authorities that the system trusts so.
    return path === undefined || path === "system" ? [] : [{ part, path }];
  });
  if (files.length === 0) return undefined;
  return Object.fromEntries(
    await Promise.all(files.map(async ({ part, path }) => [part, await readFile(path, "utf8")])),
  );
}
