import { spawn } from "node:child_process";
import { once } from "node:events";

/**
 * Runs the tests of some folders, all of them with servers.
 *
 * @param folders below `test`, for example `["query", "session"]`
 * @param env variables besides those of this process
 * @param cwd the folder of the project, or of a copy
 * @returns whether all have passed
 */
export async function runTests(
  folders: readonly string[],
  env: NodeJS.ProcessEnv,
  cwd: string = process.cwd(),
): Promise<boolean> {
  const child = spawn(
    process.execPath,
    [
      "--test",
      "--import=./test/fixtures/without-servers.ts",
      "--test-timeout=120000",
      "--test-concurrency=3",
      "--test-reporter=dot",
      ...folders.map((folder) => `test/${folder}/**/*.test.ts`),
    ],
    { cwd, stdio: "inherit", env: { ...process.env, MULTIBIND_REQUIRE_SERVERS: "1", ...env } },
  );
  const [code] = await once(child, "exit");
  return code === 0;
}
