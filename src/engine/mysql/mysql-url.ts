import type { DatabaseUrl } from "../options/database-url.ts";

/** The parameters of a MySQL URL as the driver takes them: the text `false` would mean yes to it. */
export function mysqlUrlOptions(url: DatabaseUrl): Record<string, unknown> {
  return Object.fromEntries(Object.entries(url.query).map(([name, value]) => [name, optionOf(value)]));
}

function optionOf(text: string): unknown {
  if (text === "true" || text === "false") return text === "true";
  return /^\d{1,9}$/.test(text) ? Number(text) : text;
}
