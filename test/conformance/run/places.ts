import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The directories that a case may name, below one of its own. */
export class Places implements AsyncDisposable {
  readonly #root: string;

  private constructor(root: string) {
    this.#root = root;
  }

  static async make(): Promise<Places> {
    return new Places(await mkdtemp(join(tmpdir(), "multibind-conformance-")));
  }

  /** What cases call `<instance>`. It is not there before somebody makes it. */
  get instance(): string {
    return join(this.#root, "instance");
  }

  /** What cases call `<tmp>`. */
  get temporary(): string {
    return this.#root;
  }

  /** Text of a case with the real directories in it. */
  fill(text: string): string {
    return text.replaceAll("<instance>", this.instance).replaceAll("<tmp>", this.temporary);
  }

  /** Text with the names of the directories instead of themselves. */
  hide(text: string): string {
    return text.replaceAll(this.instance, "<instance>").replaceAll(this.temporary, "<tmp>");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true });
  }
}
