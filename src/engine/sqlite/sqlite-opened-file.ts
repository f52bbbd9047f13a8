import { type Stats, statSync } from "node:fs";

/** For how long reads take the file for the one that was opened, in milliseconds. Writes look each time. */
const FRESH = 100;
const ABSENT = { throwIfNoEntry: false } as const;

/** The fate of a file that was opened by its path. */
export type FileFate = "same" | "replaced" | "deleted";

/** The file that a path led to when it was opened: a connection keeps it, also when the path leads to another one. */
export class OpenedFile {
  readonly #path: string;
  readonly #opened: Stats | undefined;
  #isFresh = false;

  constructor(path: string) {
    this.#path = path;
    this.#opened = statSync(path, ABSENT);
  }

  /** Looks whether the path still leads to the file. */
  look(): FileFate {
    const found = statSync(this.#path, ABSENT);
    if (found === undefined) return "deleted";
    return found.ino === this.#opened?.ino && found.dev === this.#opened.dev ? "same" : "replaced";
  }

  /** The same, but looks only now and then. */
  glance(): FileFate {
    if (this.#isFresh) return "same";
    const fate = this.look();
    if (fate === "same") {
      this.#isFresh = true;
      setTimeout(() => {
        this.#isFresh = false;
      }, FRESH).unref();
    }
    return fate;
  }
}
