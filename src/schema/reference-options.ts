import { InvalidOptionError } from "../errors/configuration.ts";
import { requireKnownOptions } from "../known-options.ts";

/** The action of a database on referring rows when the row they refer to changes. */
export type ReferentialAction = "no action" | "restrict" | "cascade" | "set null" | "set default";

/** How a foreign key behaves. */
export interface ReferenceOptions {
  /** What happens to a row when the row that it refers to is deleted. */
  readonly onDelete?: ReferentialAction;
  /** What happens to a row when the key that it refers to changes. */
  readonly onUpdate?: ReferentialAction;
  /** The constraint's name, instead of the naming convention's. */
  readonly name?: string;
}

const NAMES = ["onDelete", "onUpdate", "name"] satisfies (keyof ReferenceOptions)[];
const ACTIONS: readonly string[] = [
  "no action",
  "restrict",
  "cascade",
  "set null",
  "set default",
] satisfies ReferentialAction[];

/** @throws {InvalidOptionError} on an unknown option or action, which would become a part of `create table` */
export function requireReferenceOptions(options: ReferenceOptions): void {
  requireKnownOptions(options, NAMES, "a reference");
  for (const name of ["onDelete", "onUpdate"] as const) {
    const action = options[name];
    if (action === undefined || ACTIONS.includes(action)) continue;
    throw new InvalidOptionError(
      `A reference has the action ${JSON.stringify(action)} in ${name}. There are ${ACTIONS.join(", ")}.`,
    );
  }
}
