import assert from "node:assert/strict";
import {
  type Compilable,
  createQueryId,
  InsertQueryBuilder,
  InsertQueryNode,
  type InsertResult,
  NOOP_QUERY_EXECUTOR,
  type OperationNodeSource,
  QueryCreator,
  type RootOperationNode,
  sql,
} from "kysely";
import { Engine } from "../../../src/engine/engine.ts";
import type { FamilyName } from "../../../src/engine/options/database-url.ts";
import { resolveEngineOptions } from "../../../src/engine/options/engine-options.ts";
import { type CompiledStatement, compileStatement } from "../../../src/engine/statement/compile-statement.ts";
import type { Feature } from "../../../src/engine/statement/feature.ts";
import { Multibind } from "../../../src/multibind.ts";
import type { AnyTable } from "../../../src/schema/table.ts";
import { binary } from "../../../src/schema/types/binary.ts";
import { boolean } from "../../../src/schema/types/boolean.ts";
import { enumeration } from "../../../src/schema/types/enumeration.ts";
import { bigint, integer } from "../../../src/schema/types/integer.ts";
import { json } from "../../../src/schema/types/json.ts";
import { native } from "../../../src/schema/types/native.ts";
import { numeric } from "../../../src/schema/types/numeric.ts";
import { text, varchar } from "../../../src/schema/types/string.ts";
import { timestamp } from "../../../src/schema/types/temporal.ts";
import { uuid } from "../../../src/schema/types/uuid.ts";

export const BIND = "shop";
export const MADE = new Date("2026-01-31T12:00:00.000Z");
export const CHANGED = new Date("2026-02-01T00:00:00.000Z");
export const LATER = new Date("2026-03-04T05:06:07.089Z");

/** An instant as each family is sent it. */
export const sent = (date: Date) => {
  const plain = date.toISOString().slice(0, 23).replace("T", " ");
  return { sqlite: plain, postgres: date.toISOString(), mysql: plain };
};

export const db = new Multibind();

/** Nothing renamed, no defaults. */
export const tag = db.table(
  "tag",
  { id: integer().primaryKey(), label: text(), weight: integer().nullable() },
  { bindKey: BIND },
);

/** Renamed columns, and defaults of every kind. */
export const account = db.table(
  "account",
  {
    id: integer().primaryKey(),
    name: varchar(10),
    kind: enumeration(["free", "paid"]).default("free"),
    balance: numeric(10, 2).default("0").named("balance_now"),
    active: boolean().default(true),
    createdAt: timestamp()
      .default(() => MADE)
      .named("created_at"),
    updatedAt: timestamp()
      .nullable()
      .onUpdate(() => CHANGED)
      .named("updated_at"),
  },
  { bindKey: BIND },
);

/** Values of many kinds, no renamed columns. */
export const item = db.table(
  "item",
  {
    id: integer().primaryKey(),
    accountId: integer(),
    serial: bigint().nullable(),
    price: numeric(10, 2).nullable(),
    sold: boolean().nullable(),
    at: timestamp().nullable(),
    data: json().nullable(),
    photo: binary().nullable(),
    key: uuid().nullable(),
    state: varchar(10).default(sql`'new'`),
  },
  { bindKey: BIND },
);

export const foreign = db.table(
  "foreign",
  { id: integer().primaryKey(), any: native("any").nullable() },
  { bindKey: BIND },
);

export const metadata = db.metadatas.get(BIND);

export function makeEngine(url: string): Engine {
  return new Engine({ bindKey: BIND, options: resolveEngineOptions([{ url }], "test") });
}

/** Engines that never connect. */
export const engines: Readonly<Record<FamilyName, Engine>> = {
  sqlite: makeEngine("sqlite://"),
  postgres: makeEngine("postgresql://localhost/none"),
  mysql: makeEngine("mysql://localhost/none"),
};

export const FAMILIES = Object.keys(engines) as FamilyName[];

// biome-ignore lint/suspicious/noExplicitAny: these tests are about trees, whatever their types
export type Database = any;

/** Builds trees without a database. Tables in it are table objects, or strings. */
export const query = new QueryCreator<Database>({ executor: NOOP_QUERY_EXECUTOR });

/** Kysely's own takes only strings. */
export function insertInto(table: AnyTable): InsertQueryBuilder<Database, string, InsertResult> {
  return new InsertQueryBuilder({
    queryId: createQueryId(),
    executor: NOOP_QUERY_EXECUTOR,
    queryNode: InsertQueryNode.create(table.node),
  });
}

export type Statement = OperationNodeSource | Compilable;

export function nodeOf(statement: Statement): RootOperationNode {
  // Every builder gives the root of a tree.
  return (statement as OperationNodeSource).toOperationNode() as RootOperationNode;
}

export function compile(family: FamilyName, statement: Statement): CompiledStatement {
  return compileStatement(engines[family], nodeOf(statement), metadata);
}

/** One value for all families, or one for each. */
export type PerFamily<T> = T | Readonly<Record<FamilyName, T>>;

function forFamily<T>(value: PerFamily<T>, family: FamilyName): T {
  return typeof value === "object" && value !== null && "sqlite" in value ? value[family] : (value as T);
}

/** The families whose databases have a feature. */
export function familiesWith(feature: Feature): FamilyName[] {
  return FAMILIES.filter((family) => !engines[family].family.lacks.has(feature));
}

/** Asserts what each family is sent. SQL is written with double quotes, `?`, and `true` and `false` to compare with. */
export function assertSent(
  statement: Statement,
  expected: PerFamily<string>,
  parameters: readonly PerFamily<unknown>[] = [],
  families = FAMILIES,
): void {
  for (const family of families) {
    const { query: compiled } = compile(family, statement);
    assert.equal(compiled.sql, dialect(family, forFamily(expected, family)), family);
    const values = parameters.map((value) => forFamily(value, family));
    assert.deepEqual(compiled.parameters, values, family);
  }
}

function dialect(family: FamilyName, text: string): string {
  let index = 0;
  if (family === "postgres") return text.replace(/\?/g, () => `$${++index}`);
  const plain = text.replaceAll(/true(?= =)|(?<== )true/g, "1").replaceAll("= false", "= 0");
  return family === "mysql" ? plain.replaceAll('"', "`") : plain;
}
