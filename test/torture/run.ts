import { torture } from "./torture.ts";

const [kills = 500, serverKills = 60] = process.argv.slice(2).map(Number);
const cleanups: (() => unknown)[] = [];
const started = performance.now();
try {
  const { violations } = await torture(
    { after: (cleanup) => cleanups.push(cleanup as () => unknown) },
    { kills, serverKills, say: console.log },
  );
  for (const violation of violations) console.log(violation);
  if (violations.length > 0) process.exitCode = 1;
} finally {
  for (const cleanup of cleanups.reverse()) await cleanup();
  console.log(`${Math.round((performance.now() - started) / 1000)} s`);
}
