import { BACKENDS } from "../harness/databases.ts";
import type { BackendResults, Result } from "../harness/results.ts";
import { bytes, interval, number, ratio } from "./numbers.ts";
import { table } from "./table.ts";
import { type Verdict, verdicts } from "./verdicts.ts";

/** The part of the report on one backend. */
export function backendSection(results: BackendResults): string {
  const { backend, date, rounds, servers, participants, absentees } = results;
  const others = results.scenarios.flatMap(({ results: all }) => all).filter(({ delay }) => delay !== null);
  return [
    `## ${BACKENDS[backend].title}`,
    `${servers.join(", ")}; ${rounds} rounds, ${date}. ${participants.map(({ label, drivers }) => `${label}: ${drivers.join(" and ")}`).join("; ")}.`,
    ...absentees.map(({ label, reason }) => `Left out: ${label}, because of “${reason}”.`),
    "Wall time as a ratio to the raw driver's, lower is better:",
    perContender(results, ({ toRaw }) => (toRaw === null ? "" : interval(toRaw))),
    "Microseconds for one operation: wall time / CPU time of the client process:",
    perContender(results, ({ wall, cpu }) => `${number(wall)} / ${number(cpu)}`),
    "Bytes of JavaScript's heap allocated by one operation:",
    perContender(results, ({ allocated }) => bytes(allocated)),
    ...(others.length === 0
      ? []
      : [
          "How late a timer comes while the concurrent workers are busy, median / 99th percentile, in milliseconds:",
          perContender(
            { ...results, scenarios: results.scenarios.filter(({ name }) => name === "concurrent") },
            ({ delay }) => (delay === null ? "" : `${delay.median.toFixed(1)} / ${delay.p99.toFixed(1)}`),
          ),
        ]),
    "### Where multibind stands",
    standing(results, verdicts(results)),
  ].join("\n\n");
}

function perContender({ participants, scenarios }: BackendResults, cell: (result: Result) => string): string {
  return table(
    ["", ...participants.map(({ label }) => label)],
    scenarios.map(({ name, results }) => [
      `\`${name}\``,
      ...participants.map((participant) => {
        const result = results.find(({ contender }) => contender === participant.name);
        return result === undefined ? "–" : cell(result);
      }),
    ]),
  );
}

function standing({ participants }: BackendResults, all: readonly Verdict[]): string {
  const label = (name: string) => participants.find((participant) => participant.name === name)?.label ?? name;
  return table(
    ["", "to raw", "target", "", "fastest peer", "multibind to that peer", "behind"],
    all.map(({ scenario, multibind, target, meetsTarget, bestPeer, behind }) => [
      `\`${scenario.name}\``,
      multibind.toRaw === null ? "" : interval(multibind.toRaw),
      target === undefined ? "–" : `≤ ${ratio(target)}`,
      meetsTarget === undefined ? "" : meetsTarget ? "met" : `missed by ${ratio(multibind.toRaw!.median - target!)}`,
      bestPeer === undefined ? "–" : label(bestPeer.contender),
      bestPeer?.multibindToIt == null ? "–" : interval(bestPeer.multibindToIt),
      behind.length === 0 ? "–" : behind.map(({ contender }) => label(contender)).join(", "),
    ]),
  );
}
