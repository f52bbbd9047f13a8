import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { asList, asObject, asText, FormatError, type Json, type JsonObject } from "./json.ts";

/** One recorded fact: what was done, and what came of it. */
export interface Case {
  readonly id: string;
  readonly area: string;
  readonly description: string;
  readonly inputs: JsonObject;
  readonly result: JsonObject;
  /** What came of it with a PostgreSQL database per bind, where that was recorded. */
  readonly postgresql: "same" | JsonObject | undefined;
}

const FORMAT = 1;
const MEMBERS = ["id", "area", "description", "held_out", "inputs", "result", "postgresql"];

/**
 * Reads every case of a folder, in the order of file names.
 *
 * @throws {FormatError} if a file is not of the format that this runner knows, or an id appears twice
 */
export async function readCases(directory: string): Promise<Case[]> {
  const files = (await readdir(directory)).filter((name) => name.endsWith(".json")).sort();
  if (files.length === 0) throw new FormatError(`there is no case file in ${directory}`);
  const cases: Case[] = [];
  for (const file of files)
    cases.push(...readFileOfCases(JSON.parse(await readFile(join(directory, file), "utf8")) as Json, file));
  const ids = new Set<string>();
  for (const { id } of cases) {
    if (ids.has(id)) throw new FormatError(`the id ${id} appears twice`);
    ids.add(id);
  }
  return cases;
}

function readFileOfCases(content: Json, file: string): Case[] {
  const { format, area, cases } = asObject(content, file);
  if (format !== FORMAT) throw new FormatError(`${file} has format ${JSON.stringify(format)}, not ${FORMAT}`);
  return asList(cases, `${file}: cases`).map((one) =>
    readCase(asObject(one, `${file}: a case`), asText(area, `${file}: area`)),
  );
}

function readCase(value: JsonObject, fileArea: string): Case {
  const id = asText(value["id"], "id");
  const unknown = Object.keys(value).filter((name) => !MEMBERS.includes(name));
  if (unknown.length > 0) throw new FormatError(`${id} has ${unknown.join(", ")}, which this runner does not know`);
  const { postgresql } = value;
  return {
    id,
    area: value["area"] === undefined ? fileArea : asText(value["area"], `${id}: area`),
    description: asText(value["description"], `${id}: description`),
    inputs: asObject(value["inputs"], `${id}: inputs`),
    result: asObject(value["result"], `${id}: result`),
    postgresql:
      postgresql === undefined || postgresql === "same" ? postgresql : asObject(postgresql, `${id}: postgresql`),
  };
}
