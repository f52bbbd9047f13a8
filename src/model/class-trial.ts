import type { LogicalType } from "../schema/logical-type.ts";
import type { Entity } from "./entity.ts";
import type { EntityClass, Mapper } from "./mapper.ts";

type Values = Readonly<Record<string, unknown>>;

interface Trial {
  readonly entityClass: EntityClass;
  readonly mapper: Mapper;
  /** The contents of the columns. */
  held: Record<string, unknown> | undefined;
}

let trial: Trial | undefined;

/** A fact that a trial could not find out, because the constructor of the class refused the made-up values. */
export const UNSURE: unique symbol = Symbol("multibind.unsure");

/**
 * Tries a class with a hidden entity, made of values such as a row might have.
 *
 * @param make makes the entity as one that is read
 * @returns a column that the entity does not hold as it was given; nothing if it holds them all; or {@link UNSURE}
 */
export function findHiddenColumn(
  entityClass: EntityClass,
  mapper: Mapper,
  make: (values: Values) => Entity,
): string | undefined | typeof UNSURE {
  const outer = trial;
  const own: Trial = { entityClass, mapper, held: undefined };
  trial = own;
  const values = sampleRow(mapper);
  let entity: Entity;
  try {
    entity = make(values);
  } catch {
    return UNSURE;
  } finally {
    trial = outer;
  }
  const lost = mapper.properties.find(({ name }) => {
    // A field that hides the column has taken the accessor's place.
    const isWatched = Object.getOwnPropertyDescriptor(entity, name)?.get !== undefined;
    return !isWatched || !Object.is(own.held?.[name], values[name]);
  });
  return lost?.name;
}

/** Watches the columns of the entity that is tried: a field's definition replaces an accessor, an assignment uses it. */
export function takePart(entity: Entity): void {
  if (trial === undefined || trial.held !== undefined || entity.constructor !== trial.entityClass) return;
  const held: Record<string, unknown> = {};
  trial.held = held;
  for (const { name } of trial.mapper.properties) {
    held[name] = (entity as unknown as Values)[name];
    Object.defineProperty(entity, name, {
      get: () => held[name],
      set: (value: unknown) => {
        held[name] = value;
      },
      enumerable: true,
      configurable: true,
    });
  }
}

/** Values such as a row of the class might have. */
export function sampleRow({ properties, discriminator, identity }: Mapper): Values {
  return Object.fromEntries(
    properties.map(({ name, column }) => [
      name,
      name === discriminator && identity !== undefined ? identity : sample(column.definition.type),
    ]),
  );
}

/** A value that neither trimming nor a change of case alters, and that is not a usual number to count with. */
function sample(type: LogicalType): unknown {
  switch (type.kind) {
    case "smallint":
    case "integer":
    case "float":
      return 7;
    case "bigint":
      return 7n;
    case "numeric":
      return type.precision === type.scale ? type.accept("0.7") : type.accept("7");
    case "boolean":
      return true;
    case "varchar":
    case "char":
    case "text":
      return "7";
    case "date":
      return "1977-07-07";
    case "time":
      return "07:07:07";
    case "timestamp":
      return type.asText === true ? "1977-07-07T07:07:07Z" : new Date("1977-07-07T07:07:07Z");
    case "json":
    case "native":
      return {};
    case "binary":
      return new Uint8Array([7]);
    case "uuid":
      return "77777777-7777-4777-8777-777777777777";
    case "enumeration":
      return type.values?.at(-1);
  }
}
