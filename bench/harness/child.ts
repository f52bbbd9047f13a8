import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";

const running = new Set<ChildProcess>();

/** Runs a module of the benchmark in a process of its own and returns what it sends. */
export function inChild<T>(module: string, parameters: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const child = fork(join(import.meta.dirname, "..", module), [JSON.stringify(parameters)], {
      execArgv: ["--expose-gc", "--no-warnings"],
    });
    running.add(child);
    let result: { readonly value: T } | undefined;
    child.on("message", (value: T) => {
      result = { value };
    });
    child.on("error", reject);
    child.on("exit", (code, signal) => {
      running.delete(child);
      if (result !== undefined && code === 0) resolve(result.value);
      else reject(new Error(`${module} ended with ${signal ?? `code ${code}`} before it had a result.`));
    });
  });
}

/** Has the processes clean up and end when this one is to end. */
export function endChildrenWithThis(): void {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      for (const child of running) child.kill("SIGTERM");
      process.exitCode = 130;
    });
  }
}

/** In such a process: runs the work with its parameters and sends what comes out. */
export async function serve<P, T>(
  work: (parameters: P) => Promise<T>,
  cleanUp: () => Promise<void> = async () => {},
): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      cleanUp().finally(() => process.exit(130));
    });
  }
  try {
    const result = await work(JSON.parse(process.argv[2]!) as P);
    await cleanUp();
    await new Promise<void>((resolve, reject) => {
      process.send!(result, (error: Error | null) => (error === null ? resolve() : reject(error)));
    });
    // Pools of peers may keep the process alive.
    process.exit(0);
  } catch (error) {
    console.error(error);
    await cleanUp();
    process.exit(1);
  }
}
