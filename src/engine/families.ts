import {
  type Dialect,
  MysqlAdapter,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresQueryCompiler,
  SqliteAdapter,
  SqliteQueryCompiler,
} from "kysely";
import type { Family } from "./family.ts";
import { mysql } from "./mysql/mysql-family.ts";
import type { FamilyName } from "./options/database-url.ts";
import { postgres } from "./postgres/postgres-family.ts";
import { sqlite } from "./sqlite/sqlite-family.ts";

/** The families that multibind knows. */
export const families: Readonly<Record<FamilyName, Family>> = { sqlite, postgres, mysql };

const CLASSES = [
  { family: sqlite, compiler: SqliteQueryCompiler, adapter: SqliteAdapter },
  { family: postgres, compiler: PostgresQueryCompiler, adapter: PostgresAdapter },
  { family: mysql, compiler: MysqlQueryCompiler, adapter: MysqlAdapter },
];

/** The family of a Kysely dialect, by the classes that its parts derive from; `undefined` where they tell nothing. */
export function familyOfDialect(dialect: Dialect): Family | undefined {
  const compiler = dialect.createQueryCompiler();
  const adapter = dialect.createAdapter();
  return CLASSES.find((one) => compiler instanceof one.compiler || adapter instanceof one.adapter)?.family;
}
