import { mariadbServer } from "../../test/fixtures/mariadb-server.ts";
import { postgresServer } from "../../test/fixtures/postgres-server.ts";
import { withEnds } from "./install.ts";
import { runTests } from "./run-tests.ts";

/** A time zone of the process, and another one of the servers, as each of them calls it. */
interface Zones {
  readonly process: string;
  readonly postgres: string;
  readonly mariadb: string;
}

const ZONES: readonly Zones[] = [
  { process: "America/New_York", postgres: "Pacific/Kiritimati", mariadb: "+14:00" },
  { process: "Asia/Kolkata", postgres: "America/St_Johns", mariadb: "-03:30" },
  { process: "UTC", postgres: "Asia/Kathmandu", mariadb: "+05:45" },
];

/** The tests of values, queries and sessions in a time zone, on servers that are in another one. */
export const zones = ZONES.map((one) => ({
  name: one.process,
  title: `Process in ${one.process}, PostgreSQL in ${one.postgres}, MariaDB in ${one.mariadb}`,
  run: (folders: readonly string[] = ["engine", "query", "schema", "session"]) =>
    withEnds(async (ends) => {
      const postgres = await postgresServer(ends, { timezone: one.postgres });
      const mariadb = await mariadbServer(ends, { "default-time-zone": one.mariadb });
      return runTests(folders, {
        TZ: one.process,
        MULTIBIND_TEST_POSTGRES: postgres.url,
        MULTIBIND_TEST_MYSQL: mariadb.url,
      });
    }),
}));
