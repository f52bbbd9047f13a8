import { readlinkSync, realpathSync, statSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import type { BindKey } from "../../bind-key.ts";
import { FairSemaphore } from "../pool/fair-semaphore.ts";

const ABSENT = { throwIfNoEntry: false } as const;

/** The files of this process, by their paths without links and, where they exist, by their numbers on the disk. */
const places = new Map<string, WeakRef<SqlitePlace>>();

/** A database file, however many engines have it and whatever their paths: they share its one writer. */
export class SqlitePlace {
  /** The path by which it was found first, without links. */
  readonly path: string;
  readonly writerSlots: FairSemaphore;

  constructor(path: string, bindKey: BindKey) {
    this.path = path;
    this.writerSlots = new FairSemaphore({ bindKey, noun: "writer", size: 1 });
  }
}

/** Returns the place of a path: the same one for all names of a file, links of both kinds included. */
export function placeOf(path: string, bindKey: BindKey): SqlitePlace {
  const real = realPath(resolve(path));
  const number = numberOf(real);
  const byNumber = number === undefined ? undefined : places.get(number)?.deref();
  // The number of a file that was deleted is given to another one.
  const isSame = byNumber !== undefined && numberOf(byNumber.path) === number;
  const place = (isSame ? byNumber : places.get(real)?.deref()) ?? new SqlitePlace(real, bindKey);
  const reference = new WeakRef(place);
  places.set(real, reference);
  if (number !== undefined) places.set(number, reference);
  return place;
}

/** The path without links, also where nothing is there yet. */
function realPath(path: string, depth = 0): string {
  try {
    return realpathSync(path);
  } catch {
    const folder = dirname(path);
    if (folder === path || depth > 40) return path;
    const parent = realPath(folder, depth + 1);
    const own = resolve(parent, basename(path));
    const target = linkTarget(own);
    return target === undefined ? own : realPath(resolve(parent, target), depth + 1);
  }
}

function linkTarget(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}

function numberOf(path: string): string | undefined {
  const found = statSync(path, ABSENT);
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
