import { Page } from "../../../src/query/select/pagination.ts";
import { differences } from "../compare/values.ts";
import type { Case } from "../read/cases.ts";
import { Fields } from "../read/fields.ts";
import { asList, type Json } from "../read/json.ts";
import { pageNumbers } from "../steps/page-steps.ts";
import type { Findings } from "./verdict.ts";

/** Compares what pages of given numbers say of themselves. */
export function judgePages(one: Case): Findings {
  const calls = asList(one.inputs["calls"], "inputs.calls");
  const expected = asList(one.result["calls"], "result.calls");
  const actual = calls.map((call) => {
    const fields = new Fields(call, "a call");
    const result = fields.has("numbers") ? numbersOf(fields) : numbersShown(fields);
    fields.end();
    return result;
  });
  return { messages: differences(expected, actual, "calls"), normalisations: [] };
}

/** The page numbers that a widget shows. */
function numbersShown(call: Fields): Json {
  const width = (name: string) => call.json(name) as number | undefined;
  const page = pageOf({ page: width("page")!, perPage: 1, total: width("pages")! });
  const widths = {
    leftEdge: width("left_edge"),
    leftCurrent: width("left_current"),
    rightCurrent: width("right_current"),
    rightEdge: width("right_edge"),
  };
  const given = Object.entries(widths).filter(([, value]) => value !== undefined);
  return [...page.iterPages(Object.fromEntries(given))];
}

/** What follows from a page's number, its size and the number of items. */
function numbersOf(call: Fields): Json {
  const numbers = new Fields(call.json("numbers"), "numbers");
  const page = pageOf({
    page: numbers.json("page") as number,
    perPage: numbers.json("per_page") as number,
    total: numbers.json("total") as number | null,
  });
  numbers.end();
  return { ...pageNumbers(page), items: [...page.items] };
}

/** A page of the numbers from 0 on. */
function pageOf(of: { readonly page: number; readonly perPage: number; readonly total: number | null }): Page<number> {
  const start = (of.page - 1) * of.perPage;
  const length = Math.max(0, Math.min(of.perPage, (of.total ?? 0) - start));
  const items = Array.from({ length }, (_, index) => start + index);
  return new Page({ ...of, maxPerPage: of.perPage }, items, of.total, async () => []);
}
