import type { Engine } from "../../engine/engine.ts";
import { memoizePerEngine } from "../../engine/memoize-per-engine.ts";
import { type Entity, rowOf, type StoredRow } from "../../model/entity.ts";
import { generated } from "../../model/generated-code.ts";
import type { MappedProperty, Mapper } from "../../model/mapper.ts";
import { snapshotTaker } from "../../model/snapshot.ts";
import { differenceCode, isWritable } from "../entities/changes.ts";
import { isOwnIdentity } from "./discriminator.ts";
import { KeyReference } from "./key-reference.ts";
import { HAVE_CANONICAL_FORM, NewValues, Waiting } from "./new-values.ts";

/** Functions that read the values to store of entities of one class, made for that class and an engine. */
interface Readers {
  readonly values: (entity: Entity) => NewValues | undefined;
  readonly changes: (entity: Entity, row: StoredRow) => NewValues | undefined;
}

/**
 * The values of a new row in the usual case: every column was given a value in its canonical form or the key of another
 * entity, but for a key that the database numbers. `undefined` in every other case, errors included.
 */
export function usualValues(entity: Entity, mapper: Mapper, engine: Engine): NewValues | undefined {
  return readersFor(mapper, engine).values(entity);
}

/**
 * The values in which an entity differs from its row in the usual case: they are in their canonical form, and no others
 * change with them. `undefined` in every other case, errors included.
 */
export function usualChanges(entity: Entity, mapper: Mapper, engine: Engine): NewValues | undefined {
  return readersFor(mapper, engine).changes(entity, rowOf(entity)!);
}

const readersFor = memoizePerEngine(
  (mapper: Mapper, engine: Engine): Readers => ({
    values: valuesReader(mapper, engine),
    changes: changesReader(mapper, engine),
  }),
);

/** The code that reads one property. */
interface PropertyCode {
  /** Reads the value. */
  readonly read: string;
  /** What must be so that the value is a usual one, and the value as the column has accepted it. */
  readonly accept: string;
  /** The value as the driver takes it. */
  readonly written: string;
  /** The value as it is remembered. */
  readonly snapshot: string;
}

/** Writes the code for a property; what it names is put among the constants. */
function propertyCode(
  { name, column, required }: MappedProperty,
  index: number,
  engine: Engine,
  constants: Record<string, unknown>,
): PropertyCode {
  const { type } = column.definition;
  const { encode } = engine.converter(column).codec;
  const take = snapshotTaker(type.kind);
  Object.assign(constants, { [`type${index}`]: type, [`encode${index}`]: encode, [`take${index}`]: take });
  const [value, accepted] = [`value${index}`, `accepted${index}`];
  const isUnusual = [`${value} === undefined`];
  if (required) isUnusual.push(`${value} === null`);
  const lines = [`${accepted} = ${orNull(value, `type${index}.accept(${value})`)};`];
  if (HAVE_CANONICAL_FORM.has(type.kind)) lines.push(`if (${accepted} !== ${value}) return undefined;`);
  return {
    read: `const ${value} = entity[${JSON.stringify(name)}]; let ${accepted}; if (${isUnusual.join(" || ")}) return undefined;`,
    accept: lines.join(" "),
    written: encode === undefined ? accepted : orNull(accepted, `encode${index}(${accepted})`),
    snapshot: take === undefined ? value : orNull(value, `take${index}(${value})`),
  };
}

function orNull(value: string, made: string): string {
  return `${value} === null ? null : ${made}`;
}

function valuesReader(mapper: Mapper, engine: Engine): Readers["values"] {
  const isNumbered = ({ table, column }: MappedProperty) => column === table.generatedKey;
  const properties = mapper.properties.filter((property) => isWritable(property) && !isNumbered(property));
  const constants: Record<string, unknown> = { NewValues, KeyReference, Waiting, properties };
  const codes = properties.map((property, index) => propertyCode(property, index, engine, constants));
  const numbered = mapper.properties
    .filter(isNumbered)
    .map(({ name }) => `if (entity[${JSON.stringify(name)}] !== undefined) return undefined;`);
  // All rows have all properties in one order; what the database fills in comes later.
  const row = mapper.properties.map((property) => {
    const index = properties.indexOf(property);
    const value = index === -1 ? "undefined" : `accepted${index} === undefined ? undefined : ${codes[index]!.snapshot}`;
    return `${JSON.stringify(property.name)}: ${value}`;
  });
  const written = codes.map((code, index) => `accepted${index} === undefined ? undefined : ${code.written}`);
  const { discriminator } = mapper;
  const checked: string[] = [];
  if (discriminator !== undefined) {
    Object.assign(constants, { mapper, isOwnIdentity });
    checked.push(`if (!isOwnIdentity(mapper, entity[${JSON.stringify(discriminator)}])) return undefined;`);
  }
  const waitFor = (index: number) =>
    `const one = new Waiting(properties[${index}], value${index}, value${index}); if (waiting === undefined) waiting = [one]; else waiting.push(one);`;
  return inUsualCase("entity", constants, [
    ...numbered,
    ...checked,
    "let waiting;",
    ...codes.map(
      ({ read, accept }, index) =>
        `${read} if (value${index} instanceof KeyReference) { ${waitFor(index)} } else { ${accept} }`,
    ),
    `return new NewValues(properties, [${written.join(", ")}], { ${row.join(", ")} }, undefined, waiting);`,
  ]);
}

/** So many properties have a bit each. */
const MOST_BITS = 30;

function changesReader(mapper: Mapper, engine: Engine): Readers["changes"] {
  const properties = mapper.properties.filter(isWritable);
  if (mapper.version !== undefined || mapper.touched.length > 0 || properties.length > MOST_BITS)
    return () => undefined;
  const { discriminator } = mapper;
  const lists = new Map<number, readonly MappedProperty[]>();
  // Rows that change in the same properties share a list of them.
  const listOf = (bits: number) => {
    const known = lists.get(bits) ?? properties.filter((_, index) => (bits & (1 << index)) !== 0);
    lists.set(bits, known);
    return known;
  };
  const constants: Record<string, unknown> = { NewValues, KeyReference, listOf };
  const lines = properties.map((property, index) => {
    const { read, accept, written, snapshot } = propertyCode(property, index, engine, constants);
    if (property.name === discriminator) return `if (${differenceCode(property, index, constants)}) return undefined;`;
    // Most rows change in one property: a list of one is smaller than one that was empty.
    const send = `if (written === undefined) written = [${written}]; else written.push(${written});`;
    const remember = `after[${JSON.stringify(property.name)}] = ${snapshot};`;
    const usual = `${read} if (value${index} instanceof KeyReference) return undefined; ${accept}`;
    return `if (${differenceCode(property, index, constants)}) { ${usual} bits |= ${1 << index}; ${send} ${remember} }`;
  });
  return inUsualCase("entity, row", constants, [
    "let bits = 0; let written; const after = { ...row };",
    ...lines,
    "return new NewValues(listOf(bits), written, after, undefined, undefined, row);",
  ]);
}

/** A function of these lines. The general path reports errors of a value. */
function inUsualCase<F extends (...given: never) => NewValues | undefined>(
  parameters: string,
  constants: Readonly<Record<string, unknown>>,
  lines: readonly string[],
): F {
  const code = `(${parameters}) => { try { ${lines.join("\n")} } catch { return undefined; } }`;
  // Where code cannot be made, everything is read in the other way.
  return generated<F>(code, constants) ?? ((() => undefined) as unknown as F);
}
