import type { Engine } from "../../engine/engine.ts";
import type { Entity } from "../../model/entity.ts";
import { generated } from "../../model/generated-code.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { snapshotTaker } from "../../model/snapshot.ts";
import { isWritable } from "../entities/changes.ts";
import { KeyReference } from "./key-reference.ts";
import { HAVE_CANONICAL_FORM, NewValues } from "./new-values.ts";

type Reader = (entity: Entity) => NewValues | undefined;

const readers = new WeakMap<Engine, WeakMap<Mapper, Reader>>();

/**
 * The values of a new row in the usual case, read by a function that is made for the class: every column was given a
 * value in its canonical form, but for a key that the database numbers. `undefined` in every other case, errors included.
 */
export function usualValues(entity: Entity, mapper: Mapper, engine: Engine): NewValues | undefined {
  let ofEngine = readers.get(engine);
  if (ofEngine === undefined) {
    ofEngine = new WeakMap();
    readers.set(engine, ofEngine);
  }
  let reader = ofEngine.get(mapper);
  if (reader === undefined) {
    reader = makeReader(mapper, engine);
    ofEngine.set(mapper, reader);
  }
  return reader(entity);
}

function makeReader(mapper: Mapper, engine: Engine): Reader {
  const isNumbered = ({ table, column }: MappedProperty) => column === table.generatedKey;
  const properties = mapper.properties.filter((property) => isWritable(property) && !isNumbered(property));
  const constants: Record<string, unknown> = { NewValues, KeyReference, properties };
  const lines: string[] = [];
  for (const { name } of mapper.properties.filter(isNumbered))
    lines.push(`if (entity[${JSON.stringify(name)}] !== undefined) return undefined;`);
  for (const [index, { name, column, required }] of properties.entries()) {
    const { type } = column.definition;
    const [value, accepted] = [`value${index}`, `accepted${index}`];
    lines.push(`const ${value} = entity[${JSON.stringify(name)}];`);
    const isUnusual = [`${value} === undefined`, `${value} instanceof KeyReference`];
    if (required) isUnusual.push(`${value} === null`);
    lines.push(`if (${isUnusual.join(" || ")}) return undefined;`);
    constants[`type${index}`] = type;
    lines.push(`const ${accepted} = ${value} === null ? null : type${index}.accept(${value});`);
    if (HAVE_CANONICAL_FORM.has(type.kind)) lines.push(`if (${accepted} !== ${value}) return undefined;`);
  }
  const written = properties.map(({ column }, index) => {
    constants[`encode${index}`] = engine.converter(column).codec.encode;
    return orNull(`accepted${index}`, constants[`encode${index}`] && `encode${index}`);
  });
  // All rows have all properties in one order; what the database fills in comes later.
  const row = mapper.properties.map((property) => {
    const index = properties.indexOf(property);
    if (index < 0) return `${JSON.stringify(property.name)}: undefined`;
    constants[`take${index}`] = snapshotTaker(property.column.definition.type.kind);
    return `${JSON.stringify(property.name)}: ${orNull(`value${index}`, constants[`take${index}`] && `take${index}`)}`;
  });
  const made = `new NewValues(properties, [${written.join(", ")}], { ${row.join(", ")} })`;
  // What is wrong with a value is found out when it is read in the other way.
  const code = `(entity) => { try { ${lines.join("\n")} return ${made}; } catch { return undefined; } }`;
  return generated<Reader>(code, constants) ?? (() => undefined);
}

/** The code of a value that a function makes of another, unless that is null; the value itself where there is none. */
function orNull(value: string, made: unknown): string {
  return made === undefined ? value : `${value} === null ? null : ${made}(${value})`;
}
