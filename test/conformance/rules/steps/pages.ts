import { ofExpected } from "../../compare/normalisation.ts";
import { isList, isObject, type Json, type JsonObject } from "../../read/json.ts";
import { mapSteps, type StepsNormalisation } from "../subject.ts";

const MOST = 100;

/** Pages have a maximum. */
export const pagesHaveAMaximum: StepsNormalisation = {
  name: "pages-have-a-maximum",
  why:
    "A page has at most 100 items unless `maxPerPage` says otherwise (README of the facts: the original documents that and does not do it, but for " +
    "`prev()`). Of a longer first page the first 100 items are left, and the numbers follow.",
  apply: ofExpected((outcome) =>
    mapSteps(outcome, (value) => (isObject(value) && value["max_per_page"] === null ? withMaximum(value) : value)),
  ),
};

function withMaximum(page: JsonObject): Json {
  const { per_page: size, items, total, page: number } = page;
  const capped = { ...page, max_per_page: MOST };
  if (typeof size !== "number" || size <= MOST || !isList(items) || typeof total !== "number" || number !== 1)
    return capped;
  const left = items.slice(0, MOST);
  const pages = Math.ceil(total / MOST);
  return {
    ...capped,
    per_page: MOST,
    items: left,
    pages,
    last: left.length,
    has_next: pages > 1,
    next_num: pages > 1 ? 2 : null,
  };
}
