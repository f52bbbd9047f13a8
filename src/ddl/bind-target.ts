import type { Engine } from "../engine/engine.ts";
import type { Metadata } from "../schema/metadata.ts";

/** One bind that `createAll`, `dropAll` or `reflect` is to work on: its database and its tables. */
export interface BindTarget {
  readonly engine: Engine;
  readonly metadata: Metadata;
}
