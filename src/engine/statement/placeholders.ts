import { bindLabel } from "../../bind-key.ts";
import { InvalidValueError, UndefinedValueError } from "../../errors/value.ts";
import type { CompileTarget } from "./compile-target.ts";
import { type Opposite, parameter } from "./parameters.ts";

/** The values that a prepared statement is run with, by the names of its parameters. */
export type GivenValues = Readonly<Record<string, unknown>>;

/** Takes the place of a value that is given when the prepared statement runs. */
export class NamedParameter {
  readonly name: string;
  /** The operator that it is compared by, where that never holds for null. */
  readonly comparedBy: string | undefined;

  constructor(name: string, comparedBy?: string) {
    this.name = name;
    this.comparedBy = comparedBy;
  }
}

/** Takes the place of a parameter of a compiled statement that is created for each run. */
export class Placeholder {
  /** @throws {InvalidValueError} if a value is missing, or does not fit its column */
  readonly make: (given: GivenValues) => unknown;

  constructor(make: (given: GivenValues) => unknown) {
    this.make = make;
  }
}

/** The placeholder of a named parameter: its value is converted as one that stands right in the statement would be. */
export function placeholderOf(
  { name, comparedBy }: NamedParameter,
  engine: CompileTarget,
  opposite: Opposite,
): Placeholder {
  const { bindKey } = engine;
  return new Placeholder((given) => {
    const value = Object.hasOwn(given, name) ? given[name] : undefined;
    if (value === undefined) {
      throw new UndefinedValueError(
        `Parameter "${name}" of the prepared statement for ${bindLabel(bindKey)} is missing. Pass a value, or null for SQL NULL.`,
        { bindKey },
      );
    }
    if (value === null && comparedBy !== undefined) {
      throw new InvalidValueError(
        `Parameter "${name}" of the prepared statement for ${bindLabel(bindKey)} is null, and nothing is \`${comparedBy} null\`. ` +
          "Where null is meant to match, compare with `is not distinct from`.",
        { bindKey, status: 400 },
      );
    }
    return parameter(engine, value, opposite);
  });
}

/** The parameters to be sent with the values that are given. */
export function filled(parameters: readonly unknown[], given: GivenValues): readonly unknown[] {
  return parameters.map((one) => (one instanceof Placeholder ? one.make(given) : one));
}
