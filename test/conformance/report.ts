import type { Verdict } from "./judge/verdict.ts";

const LONGEST_LIST = 12;

/** Everything that is to be said of a run, the counts last. */
export function reportOf(verdicts: readonly Verdict[]): string[] {
  const of = (outcome: Verdict["outcome"]) => verdicts.filter((verdict) => verdict.outcome === outcome);
  const [passed, failed, skipped] = [of("passed"), of("failed"), of("skipped")];
  return [
    ...failed.flatMap((verdict) => [
      `FAILED ${verdict.case.id} (${verdict.case.description})`,
      ...shortened(verdict.messages).map((line) => `  ${line}`),
    ]),
    ...(failed.length > 0 ? [""] : []),
    ...[...Map.groupBy(skipped, ({ messages }) => messages[0] ?? "")].flatMap(([reason, all]) => [
      `Skipped (${all.length}): ${reason}`,
      ...wrapped(idsOf(all)),
    ]),
    ...(skipped.length > 0 ? [""] : []),
    ...judgedOtherwise(verdicts),
    `${passed.length} passed, ${failed.length} failed, ${skipped.length} skipped`,
  ];
}

/** What was judged by more than the recorded result alone. */
function judgedOtherwise(verdicts: readonly Verdict[]): string[] {
  const differing = verdicts.filter(({ difference }) => difference !== undefined);
  const counts = new Map<string, number>();
  for (const { normalisations } of verdicts)
    for (const name of normalisations) counts.set(name, (counts.get(name) ?? 0) + 1);
  const applied = [...counts].sort(([, a], [, b]) => b - a).map(([name, count]) => `${name} (${count})`);
  return [
    ...(differing.length === 0
      ? []
      : [`Judged by a reviewed difference (${differing.length}):`, ...wrapped(idsOf(differing)), ""]),
    ...(applied.length === 0
      ? []
      : ["Normalisations, with the number of cases that each changed:", ...wrapped(applied), ""]),
  ];
}

function idsOf(verdicts: readonly Verdict[]): string[] {
  return verdicts.map((verdict) => verdict.case.id);
}

function shortened(messages: readonly string[]): string[] {
  if (messages.length <= LONGEST_LIST) return [...messages];
  return [...messages.slice(0, LONGEST_LIST), `… and ${messages.length - LONGEST_LIST} more`];
}

function wrapped(words: readonly string[], width = 116): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length + 2 <= width) lines[lines.length - 1] = `${last}, ${word}`;
    else lines.push(`  ${word}`);
  }
  return lines;
}
