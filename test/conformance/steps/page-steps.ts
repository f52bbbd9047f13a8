import { Entity, NotFoundError, type Page, type PageOptions } from "../../../src/index.ts";
import type { Fields } from "../read/fields.ts";
import { FormatError, type Json } from "../read/json.ts";
import { Objects } from "../run/objects.ts";
import { type ModelSelect, modelSelect } from "../statements/model-select.ts";
import { keyOf } from "./entity-steps.ts";
import type { StepHandlers } from "./step.ts";
import type { World } from "./world.ts";

/** Steps that page through rows, and steps that answer 404 where there are none. */
export const pageSteps: StepHandlers = {
  paginate: async (step, world) => noted(await selectOf(step, world).paginate(pageOptions(step)), step, world),
  page_move: async (step, world) => {
    const page = world.pages.get(step.text("of"));
    const move = step.text("move");
    if (page === undefined) throw new FormatError("the case has no such page");
    if (move !== "next" && move !== "prev") throw new FormatError(`a page moves to ${move}, which is not known`);
    return noted(await page[move === "prev" ? "previous" : "next"]({ notFound: step.flag("error_out") }), step, world);
  },
  page_iter: (step, world) => {
    const page = world.pages.get(step.text("of"));
    if (page === undefined) throw new FormatError("the case has no such page");
    return [...page].map((item) => listedValue(item) as Json);
  },
  get_or_404: async (step, world) => {
    const model = world.schema.model(step.text("model"));
    const key = keyOf(step.json("id")!, model);
    const options = { description: step.optionalText("description"), refresh: step.flag("populate_existing") };
    return world.objects.result(await world.session.getOr404(model, key as never, options));
  },
  first_or_404: async (step, world) => {
    const description = step.optionalText("description");
    const select = modelSelect(step.json("stmt")!, world.session, world.schema);
    if (select !== undefined) return itemResult(await select.firstOr404({ description }), world);
    // What reads from no model is a statement of Kysely's, where the caller says which error there is.
    const [row] = (await world.session.execute<object>(world.statement(step.json("stmt")!).statement)).rows;
    if (row === undefined) throw new NotFoundError("There is no row.", { description });
    return itemResult(row, world);
  },
  one_or_404: async (step, world) => {
    const description = step.optionalText("description");
    return itemResult(await selectOf(step, world).oneOr404({ description }), world);
  },
};

/** The numbers of a page, as cases write them. */
export function pageNumbers(page: Page<unknown>): Record<string, Json> {
  return {
    page: page.page,
    per_page: page.perPage,
    total: page.total,
    pages: page.pages,
    first: page.first,
    last: page.last,
    has_prev: page.hasPrevious,
    prev_num: page.previousNum,
    has_next: page.hasNext,
    next_num: page.nextNum,
  };
}

function selectOf(step: Fields, { session, schema }: World): ModelSelect {
  const model = step.optionalText("model");
  const statement: Json = model === undefined ? step.json("stmt")! : { select: [model] };
  const select = modelSelect(statement, session, schema);
  if (select === undefined) throw new FormatError("the statement is not one of a model");
  return select;
}

/** What a step says of the page; what it leaves out may be said by a request. */
function pageOptions(step: Fields): PageOptions {
  const request = new URL(step.optionalText("request") ?? "/", "http://localhost").searchParams;
  const said = (name: string) => (step.has(name) ? (step.json(name) as number) : request.get(name));
  return {
    page: said("page"),
    perPage: said("per_page"),
    maxPerPage: step.json("max_per_page") as number | undefined,
    count: step.flag("count", true),
    notFound: step.flag("error_out", true),
  };
}

function noted(page: Page<object>, step: Fields, world: World): Json {
  const label = step.optionalText("as");
  if (label !== undefined) world.pages.set(label, page);
  const items = page.items.map((item) => listedValue(item) as Json);
  return { ...pageNumbers(page), max_per_page: page.maxPerPage, items };
}

/** An item as a page lists it: of an entity the key, of a row the first column. */
function listedValue(item: object): unknown {
  return item instanceof Entity ? Objects.keyOf(item)[0] : Object.values(item)[0];
}

function itemResult(item: object, { objects }: World): Json {
  return item instanceof Entity ? objects.result(item) : ((Object.values(item)[0] ?? null) as Json);
}
