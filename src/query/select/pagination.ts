import type { Awaitable } from "../../awaitable.ts";
import { NotFoundError } from "../../errors/session.ts";
import { NO_OPTIONS, requireKnownOptions } from "../../known-options.ts";
import { READ_OPTIONS, type ReadOptions } from "./select-runner.ts";

/** How a page is asked for. Numbers may be text, as they come with a request. */
export interface PageOptions extends ReadOptions {
  /** The number of the page, starting at 1. Defaults to 1. */
  readonly page?: number | string | null | undefined;
  /** The number of items on a page. Defaults to 20. */
  readonly perPage?: number | string | null | undefined;
  /** Maximum number of items on a page, whatever `perPage` is. Defaults to 100. */
  readonly maxPerPage?: number | undefined;
  /** `false`: the items are not counted, so that the number of pages stays unknown. */
  readonly count?: boolean | undefined;
  /** `false`: a page that is not there is empty, and a number that makes no sense is the default one. */
  readonly notFound?: boolean | undefined;
}

export const PAGE_OPTIONS: readonly (keyof PageOptions)[] = [
  ...READ_OPTIONS,
  "page",
  "perPage",
  "maxPerPage",
  "count",
  "notFound",
];

/** How many page numbers a widget shows at its ends and around the current page. */
export interface PageWidths {
  /** At the beginning. Defaults to 2. */
  readonly leftEdge?: number;
  /** Before the current page. Defaults to 2. */
  readonly leftCurrent?: number;
  /** After the current page. Defaults to 4. */
  readonly rightCurrent?: number;
  /** At the end. Defaults to 2. */
  readonly rightEdge?: number;
}

const PAGE_WIDTHS: readonly (keyof PageWidths)[] = ["leftEdge", "leftCurrent", "rightCurrent", "rightEdge"];

/** Which page of what size, checked. */
export interface PageNumbers {
  readonly page: number;
  readonly perPage: number;
  readonly maxPerPage: number;
}

const DEFAULT_PER_PAGE = 20;
const DEFAULT_MOST = 100;
const WHOLE_NUMBER = /^\s*[+-]?\d+\s*$/;

/**
 * Checks which page is asked for.
 *
 * @throws {NotFoundError} if there can be no such page
 */
export function pageNumbers({ page, perPage, maxPerPage = DEFAULT_MOST, notFound = true }: PageOptions): PageNumbers {
  const lenient = (value: number, instead: number): number => {
    if (value >= 1) return value;
    if (notFound) throw new NotFoundError("This page does not exist: a page number is an integer from 1 up.");
    return instead;
  };
  const size = lenient(Math.min(wholeNumber(perPage, DEFAULT_PER_PAGE), maxPerPage), DEFAULT_PER_PAGE);
  const number = wholeNumber(page, 1);
  // Of a page that is farther away than numbers go, there is no offset.
  return { page: lenient(Number.isSafeInteger(number * size) ? number : Number.NaN, 1), perPage: size, maxPerPage };
}

/** Text that is not a number is not a page number. */
function wholeNumber(value: number | string | null | undefined, absent: number): number {
  if (value === undefined || value === null) return absent;
  if (typeof value === "string") return WHOLE_NUMBER.test(value) ? Number(value) : Number.NaN;
  return Number.isSafeInteger(value) ? value : Number.NaN;
}

/** Reads the items of a page. */
export type PageReader<E> = (numbers: PageNumbers) => Awaitable<E[]>;

/**
 * One page of the items that a statement finds, and where it stands among the others.
 *
 * @see Flask-SQLAlchemy: `Pagination`
 */
export class Page<E> implements Iterable<E> {
  /** The number of this page, from 1 on. */
  readonly page: number;
  /** The most items on a page. */
  readonly perPage: number;
  /** The most that could be asked for. */
  readonly maxPerPage: number;
  readonly items: readonly E[];
  /** How many items there are on all pages; null if they were not counted. */
  readonly total: number | null;
  readonly #read: PageReader<E>;

  /** @internal use `select(…).paginate()` */
  constructor(numbers: PageNumbers, items: readonly E[], total: number | null, read: PageReader<E>) {
    this.page = numbers.page;
    this.perPage = numbers.perPage;
    this.maxPerPage = numbers.maxPerPage;
    this.items = items;
    this.total = total;
    this.#read = read;
  }

  /** How many pages there are; 0 if there are no items, or if they were not counted. */
  get pages(): number {
    return this.total === null ? 0 : Math.ceil(this.total / this.perPage);
  }

  /** The number of the first item here, starting at 1; 0 on an empty page. */
  get first(): number {
    return this.items.length === 0 ? 0 : (this.page - 1) * this.perPage + 1;
  }

  /** The number of the last item here; 0 on an empty page. */
  get last(): number {
    return this.items.length === 0 ? 0 : this.first + this.items.length - 1;
  }

  /** Whether there is a page before this one. */
  get hasPrevious(): boolean {
    return this.page > 1;
  }

  /** The number of the page before this one, or null. */
  get previousNum(): number | null {
    return this.hasPrevious ? this.page - 1 : null;
  }

  /** Whether there is a page behind this one. */
  get hasNext(): boolean {
    return this.page < this.pages;
  }

  /** The number of the page behind this one, or null. */
  get nextNum(): number | null {
    return this.hasNext ? this.page + 1 : null;
  }

  /** Reads the page before this one, without counting again. The first page is its own predecessor. */
  async previous(options: { readonly notFound?: boolean } = NO_OPTIONS): Promise<Page<E>> {
    requireKnownOptions(options, ["notFound"], "previous()");
    return this.#turnTo(this.page - 1, options.notFound ?? false);
  }

  /** Reads the page behind this one, without counting again. Behind the last it is empty. */
  async next(options: { readonly notFound?: boolean } = NO_OPTIONS): Promise<Page<E>> {
    requireKnownOptions(options, ["notFound"], "next()");
    return this.#turnTo(this.page + 1, options.notFound ?? false);
  }

  /**
   * The page numbers that a widget shows: some at each end, some around the current page, and null for each gap.
   *
   * @see Flask-SQLAlchemy: `Pagination.iter_pages`
   */
  iterPages(widths: PageWidths = NO_OPTIONS): IterableIterator<number | null> {
    requireKnownOptions(widths, PAGE_WIDTHS, "iterPages()");
    return this.#numbers(widths);
  }

  *#numbers({
    leftEdge = 2,
    leftCurrent = 2,
    rightCurrent = 4,
    rightEdge = 2,
  }: PageWidths): IterableIterator<number | null> {
    const end = this.pages + 1;
    const leftEnd = Math.min(1 + leftEdge, end);
    yield* numbers(1, leftEnd);
    if (leftEnd === end) return;
    const start = Math.max(leftEnd, this.page - leftCurrent);
    const stop = Math.min(this.page + rightCurrent + 1, end);
    if (start > leftEnd) yield null;
    yield* numbers(start, stop);
    if (stop === end) return;
    const rightStart = Math.max(stop, end - rightEdge);
    if (rightStart > stop) yield null;
    yield* numbers(rightStart, end);
  }

  /** The items of this page. */
  [Symbol.iterator](): Iterator<E> {
    return this.items[Symbol.iterator]();
  }

  async #turnTo(page: number, notFound: boolean): Promise<Page<E>> {
    const { perPage, maxPerPage } = this;
    const asked = pageNumbers({ page, perPage, maxPerPage, notFound });
    return new Page(asked, await itemsOf(asked, this.#read, notFound), this.total, this.#read);
  }
}

/**
 * Reads a page's items.
 *
 * @throws {NotFoundError} if the page is empty, except for the first page
 */
export async function itemsOf<E>(asked: PageNumbers, read: PageReader<E>, notFound: boolean): Promise<E[]> {
  const items = await read(asked);
  if (items.length === 0 && asked.page !== 1 && notFound)
    throw new NotFoundError(`Page ${asked.page} does not exist: the pages before it hold all items.`);
  return items;
}

function* numbers(start: number, end: number): IterableIterator<number> {
  for (let number = start; number < end; number++) yield number;
}
