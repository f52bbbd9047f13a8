import type { Fields } from "../read/fields.ts";
import type { Json } from "../read/json.ts";
import type { World } from "./world.ts";

/** Does what a step says and gives its value; null where it has none. What it throws is the step's error. */
export type StepHandler = (step: Fields, world: World) => Json | Promise<Json>;

/** Steps by name. */
export type StepHandlers = Readonly<Record<string, StepHandler>>;
