/**
 * Runs the tests of values, queries and sessions in several time zones: of the process, and of servers that are started for
 * that. `npm run test:matrix` runs all; `npm run test:matrix -- Asia/Kolkata` those of one zone.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mariadbServer } from "../test/fixtures/mariadb-server.ts";
import { postgresServer } from "../test/fixtures/postgres-server.ts";

/** A time zone of the process, and another one of the servers, as each of them calls it. */
interface Zones {
  readonly process: string;
  readonly postgres: string;
  readonly mariadb: string;
}

const MATRIX: readonly Zones[] = [
  { process: "America/New_York", postgres: "Pacific/Kiritimati", mariadb: "+14:00" },
  { process: "Asia/Kolkata", postgres: "America/St_Johns", mariadb: "-03:30" },
  { process: "UTC", postgres: "Asia/Kathmandu", mariadb: "+05:45" },
];

const FOLDERS = ["engine", "query", "schema", "session"];

async function runIn(zones: Zones): Promise<boolean> {
  const ends: (() => unknown)[] = [];
  const t = { after: (end?: unknown) => void ends.push(end as () => unknown) };
  try {
    const postgres = await postgresServer(t, { timezone: zones.postgres });
    const mariadb = await mariadbServer(t, { "default-time-zone": zones.mariadb });
    const child = spawn(
      process.execPath,
      [
        "--test",
        "--import=./test/fixtures/without-servers.ts",
        "--test-timeout=120000",
        "--test-concurrency=2",
        "--test-reporter=dot",
        ...FOLDERS.map((folder) => `test/${folder}/**/*.test.ts`),
      ],
      {
        stdio: "inherit",
        env: {
          ...process.env,
          TZ: zones.process,
          MULTIBIND_REQUIRE_SERVERS: "1",
          MULTIBIND_TEST_POSTGRES: postgres.url,
          MULTIBIND_TEST_MYSQL: mariadb.url,
        },
      },
    );
    const [code] = await once(child, "exit");
    return code === 0;
  } finally {
    for (const end of ends.toReversed()) await end();
  }
}

const chosen = process.argv.slice(2);
const failed: string[] = [];
for (const zones of MATRIX) {
  if (chosen.length > 0 && !chosen.includes(zones.process)) continue;
  console.log(`\nProcess in ${zones.process}, PostgreSQL in ${zones.postgres}, MariaDB in ${zones.mariadb}`);
  if (!(await runIn(zones))) failed.push(zones.process);
}
console.log(failed.length === 0 ? "\nAll time zones passed." : `\nFailed in: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;
