import type { Environment, Results } from "../harness/results.ts";
import { SCENARIOS } from "../scenarios.ts";
import { aloneSection } from "./alone.ts";
import { backendSection } from "./backend.ts";

/** The whole report. */
export function markdown({ environment, backends, alone }: Results): string {
  const sections = Object.values(backends).map(backendSection);
  return `${[introduction(environment), ...sections, ...(alone === null ? [] : [aloneSection(alone)])].join("\n\n")}\n`;
}

function introduction({ node, processor, cores, system, packages }: Environment): string {
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`);
  return `# multibind beside its peers

Written by \`npm run bench\`; drawn by \`npm run bench:plot\`. How it is measured: [README.md](README.md).

${processor}, ${cores} cores, ${system}; Node.js ${node}. ${versions.join(", ")}.

Ratios are medians of the ratios within each round, with the interval that holds the median with 95 % confidence.

${SCENARIOS.map(({ name, title }) => `- \`${name}\`: ${title}`).join("\n")}`;
}
