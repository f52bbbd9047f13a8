import assert from "node:assert/strict";
import { sql } from "kysely";
import { createAll } from "../../src/ddl/create-all.ts";
import { dropAll } from "../../src/ddl/drop-all.ts";
import { reflect } from "../../src/ddl/reflect.ts";
import { Multibind } from "../../src/multibind.ts";
import { Column } from "../../src/schema/column.ts";
import { check, foreignKey, index, unique } from "../../src/schema/constraint.ts";
import type { LogicalType } from "../../src/schema/logical-type.ts";
import type { NamingConvention } from "../../src/schema/naming-convention.ts";
import { binary } from "../../src/schema/types/binary.ts";
import { boolean } from "../../src/schema/types/boolean.ts";
import { enumeration } from "../../src/schema/types/enumeration.ts";
import { float } from "../../src/schema/types/float.ts";
import { bigint, integer, smallint } from "../../src/schema/types/integer.ts";
import { json } from "../../src/schema/types/json.ts";
import { numeric } from "../../src/schema/types/numeric.ts";
import { char, text, varchar } from "../../src/schema/types/string.ts";
import { date, time, timestamp } from "../../src/schema/types/temporal.ts";
import { uuid } from "../../src/schema/types/uuid.ts";
import { describeMetadata } from "./table-description.ts";
import { onEachFamily } from "./test-database.ts";

const CONVENTIONS: readonly NamingConvention[] = [
  {},
  {
    pk: "pk_{table}",
    uq: "uq_{table}_{columns}",
    ix: "{columns}_of_{table}",
    fk: "fk_{table}_{columns}",
    ck: "{table}_{name}_ck",
  },
];

const COLUMNS = {
  smallint: smallint(),
  integer: integer().nullable(),
  bigint: bigint(),
  numeric: numeric(12, 4),
  whole: numeric(20),
  float: float(),
  boolean: boolean(),
  varchar: varchar(40),
  char: char(4),
  text: text().nullable(),
  date: date(),
  time: time(),
  timestamp: timestamp(),
  timestampText: timestamp({ text: true }),
  json: json(),
  binary: binary(),
  uuid: uuid(),
  kind: enumeration(["car", "it's", "a, b"]),
  single: enumeration(["one"]).nullable(),
};

function everything(namingConvention: NamingConvention): Multibind {
  const db = new Multibind({ namingConvention });
  db.table("types", { id: integer().primaryKey(), ...COLUMNS });
  db.table("defaults", {
    id: bigint().primaryKey(),
    number: integer().default(sql`-5`),
    decimal: numeric(8, 2).default(sql`-12.50`),
    text: varchar(30).default(sql`'it''s'`),
    odd: varchar(30).default(sql`${'a "b", c'}`),
    truth: boolean().default(sql`true`),
    now: timestamp().default(sql`current_timestamp`),
    nowText: timestamp({ text: true }).default(sql`now()`),
    kind: enumeration(["x", "yy"]).default(sql`'yy'`),
    expression: varchar(30).default(sql`lower('ABC')`),
  });
  db.table(
    "constraints",
    {
      code: varchar(10).primaryKey(),
      a: integer().unique(),
      b: integer().index().check(sql`b > 0`, "b_positive"),
      c: integer().named("c_in_db"),
      Quoted: varchar(10).unique(),
    },
    {
      constraints: [
        unique(["c", "b"]),
        unique(["b", "a"], { name: "own_unique" }),
        index(["c", "a"]),
        index(["a", "b"], { name: "own_index" }),
        check(sql`a < b and c_in_db <> 7`, { name: "in_order" }),
      ],
    },
  );
  db.table("pair", { two: integer().primaryKey(), one: varchar(5).primaryKey() });
  db.table(
    "references",
    {
      id: integer().primaryKey().references("parent.id", { onDelete: "cascade" }),
      self: integer().nullable().references("references.id", { onDelete: "set null", name: "own_key" }),
      two: integer(),
      one: varchar(5),
    },
    { constraints: [foreignKey(["two", "one"], "pair", ["two", "one"], { onUpdate: "cascade" })] },
  );
  db.table("parent", { id: integer().primaryKey(), favourite: integer().nullable().references("references.id") });
  db.table("computed", {
    id: integer().primaryKey(),
    a: integer(),
    sum: new Column<number>({
      type: integer().definition.type,
      generated: { expression: "a + 1", stored: true },
      nullable: true,
    }),
  });
  return db;
}

for (const convention of CONVENTIONS) {
  const which = convention.pk === undefined ? "without" : "with";
  onEachFamily(`what was reflected makes the same tables again, ${which} a naming convention`, async (database) => {
    const original = everything(convention);
    await createAll([database.target(original)], original.metadatas);
    const first = new Multibind({ namingConvention: convention });
    await reflect([database.target(first)]);
    first.metadatas.check();
    await dropAll([database.target(original)], original.metadatas);
    assert.deepEqual(await database.tables(), []);
    await createAll([database.target(first)], first.metadatas);
    const second = new Multibind({ namingConvention: convention });
    await reflect([database.target(second)]);
    assert.deepEqual(describeMetadata(second.metadata), describeMetadata(first.metadata));
    await dropAll([database.target(second)], second.metadatas, { reflected: true });
    assert.deepEqual(await database.tables(), []);
  });
}

/** The type that is read back where a database has none of its own for it. */
function storedAs({ accept: _accept, ...type }: LogicalType, family: string): object {
  return type.kind === "char" && family !== "sqlite" ? { ...type, kind: "varchar" } : type;
}

onEachFamily("columns come back with their types, names and null", async (database) => {
  const original = everything({});
  await createAll([database.target(original)], original.metadatas);
  const db = new Multibind();
  await reflect([database.target(db)]);
  for (const [name, { columnList }] of original.metadata.tables) {
    const described = db.metadata.tables.get(name)!.columnList.map(({ name, definition: { type, nullable } }) => {
      return { name, type: storedAs(type, "sqlite"), nullable: nullable === true };
    });
    const expected = columnList.map(({ name, definition: { type, nullable } }) => {
      return { name, type: storedAs(type, database.family), nullable: nullable === true };
    });
    assert.deepEqual(described, expected);
  }
});

onEachFamily("keys and constraints come back", async (database) => {
  const original = everything(CONVENTIONS[1]!);
  await createAll([database.target(original)], original.metadatas);
  const db = new Multibind({ namingConvention: CONVENTIONS[1]! });
  await reflect([database.target(db)]);
  const tables = describeMetadata(db.metadata);
  const { constraints, pair, parent } = tables;
  assert.deepEqual(pair!.primaryKey, ["two", "one"]);
  assert.deepEqual(constraints!.primaryKey, ["code"]);
  assert.equal(constraints!.generatedKey, undefined);
  assert.equal(tables["types"]!.generatedKey, "id");
  assert.equal(tables["defaults"]!.generatedKey, "id");
  assert.equal(tables["references"]!.generatedKey, undefined);
  assert.deepEqual(constraints!.uniques, [
    { name: "own_unique", columns: ["b", "a"] },
    { name: "uq_constraints_Quoted", columns: ["Quoted"] },
    { name: "uq_constraints_a", columns: ["a"] },
    { name: "uq_constraints_c_in_db_b", columns: ["c_in_db", "b"] },
  ]);
  assert.deepEqual(constraints!.indexes, [
    { name: "b_of_constraints", columns: ["b"], unique: false },
    { name: "c_in_db_a_of_constraints", columns: ["c_in_db", "a"], unique: false },
    { name: "own_index", columns: ["a", "b"], unique: false },
  ]);
  assert.deepEqual(
    constraints!.checks.map(({ name }) => name),
    ["b_positive", "in_order"],
  );
  assert.deepEqual(tables["references"]!.foreignKeys, [
    {
      name: "fk_references_id",
      columns: ["id"],
      target: { table: "parent", columns: ["id"] },
      onDelete: "cascade",
      onUpdate: undefined,
    },
    {
      name: "fk_references_two_one",
      columns: ["two", "one"],
      target: { table: "pair", columns: ["two", "one"] },
      onDelete: undefined,
      onUpdate: "cascade",
    },
    {
      name: "own_key",
      columns: ["self"],
      target: { table: "references", columns: ["id"] },
      onDelete: "set null",
      onUpdate: undefined,
    },
  ]);
  assert.deepEqual(parent!.foreignKeys[0]!.target, { table: "references", columns: ["id"] });
  assert.deepEqual(parent!.indexes, []);
});

onEachFamily("defaults come back as they were given", async (database) => {
  const original = everything({});
  await createAll([database.target(original)], original.metadatas);
  const db = new Multibind();
  await reflect([database.target(db)]);
  const { columns } = describeMetadata(db.metadata)["defaults"]!;
  const defaults = Object.fromEntries(columns.map(({ name, default: value }) => [name, value]));
  assert.deepEqual(
    // PostgreSQL and MariaDB put expressions in their own words.
    { ...defaults, expression: undefined },
    {
      id: undefined,
      number: "-5",
      decimal: "-12.50",
      text: "'it''s'",
      odd: `'a "b", c'`,
      truth: "true",
      now: "current_timestamp",
      nowText: "current_timestamp",
      kind: "'yy'",
      expression: undefined,
    },
  );
});
