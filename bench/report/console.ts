import type { ScenarioResults } from "../harness/results.ts";
import { bytes, interval, number } from "./numbers.ts";

/** Prints a scenario as soon as it is done. */
export function printScenario({ name, title, results }: ScenarioResults): void {
  console.log(`\n${name}: ${title}`);
  console.log(line("", "µs/op", "to raw", "CPU µs/op", "allocated"));
  for (const { contender, wall, toRaw, cpu, allocated } of results) {
    console.log(line(contender, number(wall), toRaw === null ? "" : interval(toRaw), number(cpu), bytes(allocated)));
  }
}

function line(who: string, wall: string, toRaw: string, cpu: string, allocated: string): string {
  return `  ${who.padEnd(20)}${wall.padStart(10)}  ${toRaw.padEnd(22)}${cpu.padStart(10)}${allocated.padStart(12)}`;
}
