import { registerHooks } from "node:module";
import { pathToFileURL } from "node:url";
import type { Binds } from "../contenders/contender.ts";
import { serve } from "../harness/child.ts";

export interface FirstGetParameters {
  /** The module of the contender. */
  readonly module: string;
  readonly contender: string;
  readonly binds: Binds;
  /** What to import in the place of multibind's source: its build, as an application would. */
  readonly source: string;
  readonly build: string;
}

/** What a contender takes from the import of its packages to its first row: milliseconds, and megabytes of the process. */
export interface FirstGet {
  readonly time: number;
  readonly memory: number;
}

await serve(async ({ module, contender, binds, source, build }: FirstGetParameters): Promise<FirstGet> => {
  const [sourceUrl, buildUrl] = [pathToFileURL(source).href, pathToFileURL(build).href];
  registerHooks({
    resolve: (specifier, context, next) => {
      const found = next(specifier, context);
      return found.url === sourceUrl ? { ...found, url: buildUrl, format: "module" } : found;
    },
  });
  const before = process.memoryUsage().rss;
  const start = performance.now();
  const { open } = (
    (await import(module)) as Record<
      string,
      { open(binds: Binds): Promise<import("../contenders/contender.ts").Store> }
    >
  )[contender]!;
  const store = await open(binds);
  const unit = store.enter();
  await store.get(unit, 1);
  const time = performance.now() - start;
  const memory = (process.memoryUsage().rss - before) / 1e6;
  await store.leave(unit);
  await store.close();
  return { time, memory };
});
