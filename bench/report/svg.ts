import { BACKENDS } from "../harness/databases.ts";
import type { BackendResults, ScenarioResults } from "../harness/results.ts";
import { ratio } from "./numbers.ts";

const WIDTH = 900;
const LEFT = 110;
const RIGHT = 40;
const LINE = 26;
const TITLE = 34;
const AXIS = 30;
const GAP = 18;
const LEGEND = 48;
const TICKS = [1, 1.5, 2, 3, 5, 10, 20, 50, 100, 200, 500];
const INK = "#24292f";
const FAINT = "#d0d7de";

/** Colours that are told apart also by those who see fewer; multibind's is the one that stands out. */
const COLOURS: Readonly<Record<string, string>> = {
  multibind: "#d1242f",
  "multibind-prepared": "#fb8f44",
  kysely: "#0969da",
  drizzle: "#1a7f37",
  "drizzle-prepared": "#7ac58d",
  "mikro-orm": "#8250df",
  typeorm: "#9a6700",
  sequelize: "#57606a",
  prisma: "#1b7c83",
};

/** Draws how everybody stands to the raw driver: a line for each scenario, a dot for each contender, on a logarithmic axis. */
export function drawing(all: readonly BackendResults[]): string {
  const largest = Math.max(
    ...all.flatMap(({ scenarios }) =>
      scenarios.flatMap(({ results }) => results.map(({ toRaw }) => toRaw?.median ?? 1)),
    ),
  );
  const x = axis(largest);
  const parts: string[] = [legend(all)];
  let top = LEGEND;
  for (const results of all) {
    parts.push(panel(results, top, x, largest));
    top += TITLE + results.scenarios.length * LINE + AXIS + GAP;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" font-family="system-ui, sans-serif" font-size="12" fill="${INK}" role="img">
<title>Time of each contender as a ratio to the raw driver's</title>
<rect width="${WIDTH}" height="${top}" fill="#ffffff"/>
${parts.join("\n")}
</svg>
`;
}

type Scale = (value: number) => number;

function axis(largest: number): Scale {
  const [from, to] = [Math.log(0.8), Math.log(largest * 1.1)];
  return (value) => LEFT + ((Math.log(Math.max(value, 0.8)) - from) / (to - from)) * (WIDTH - LEFT - RIGHT);
}

function legend(all: readonly BackendResults[]): string {
  const labels = new Map(
    all.flatMap(({ participants }) => participants.map(({ name, label }) => [name, label] as const)),
  );
  let x = LEFT;
  const entries = [...labels]
    .filter(([name]) => name !== "raw")
    .map(([name, label]) => {
      const entry = `${dot(x, 20, name, label)}<text x="${x + 9}" y="24">${label}</text>`;
      x += 24 + label.length * 6.3;
      return entry;
    });
  return `${entries.join("\n")}\n<text x="${LEFT}" y="44" fill="#57606a">times the raw driver's time; further left is better</text>`;
}

function panel({ backend, scenarios, servers }: BackendResults, top: number, x: Scale, largest: number): string {
  const title = BACKENDS[backend].title.replaceAll("`", "");
  const first = top + TITLE;
  const bottom = first + scenarios.length * LINE;
  const grid = TICKS.filter((tick) => tick <= largest).map(
    (tick) =>
      `<line x1="${x(tick).toFixed(1)}" x2="${x(tick).toFixed(1)}" y1="${first}" y2="${bottom}" stroke="${tick === 1 ? INK : FAINT}"/>` +
      `<text x="${x(tick).toFixed(1)}" y="${bottom + 15}" text-anchor="middle" fill="#57606a">${tick}</text>`,
  );
  return [
    `<text x="10" y="${top + 22}" font-size="14" font-weight="600">${title}</text>`,
    `<text x="${WIDTH - RIGHT}" y="${top + 22}" text-anchor="end" fill="#57606a">${servers.join(", ")}</text>`,
    ...grid,
    ...scenarios.map((scenario, place) => lane(scenario, first + place * LINE + LINE / 2, x)),
  ].join("\n");
}

function lane({ name, title, results }: ScenarioResults, y: number, x: Scale): string {
  const ordered = results.filter(({ contender, toRaw }) => contender !== "raw" && toRaw !== null);
  // What is drawn last is on top.
  ordered.sort((a, b) => Number(a.contender.startsWith("multibind")) - Number(b.contender.startsWith("multibind")));
  const marks = ordered.map(({ contender, toRaw }) => {
    const { median, low, high } = toRaw!;
    const whisker = `<line x1="${x(low).toFixed(1)}" x2="${x(high).toFixed(1)}" y1="${y}" y2="${y}" stroke="${colour(contender)}" stroke-width="2"/>`;
    return whisker + dot(x(median), y, contender, `${contender}: ${ratio(median)}`);
  });
  return `<text x="10" y="${y + 4}">${name}<title>${title.replaceAll("<", "&lt;")}</title></text>\n${marks.join("\n")}`;
}

function dot(x: number, y: number, name: string, label: string): string {
  const own = name.startsWith("multibind");
  return `<circle cx="${x.toFixed(1)}" cy="${y}" r="${own ? 6 : 4.5}" fill="${colour(name)}"${own ? ' stroke="#ffffff"' : ""}><title>${label}</title></circle>`;
}

function colour(name: string): string {
  return COLOURS[name] ?? INK;
}
