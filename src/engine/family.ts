import type { DatabaseIntrospector, DialectAdapter, Kysely, OperationNode, QueryCompiler, RawNode } from "kysely";
import type { BindKey } from "../bind-key.ts";
import type { LogicalType } from "../schema/logical-type.ts";
import type { AnyTable } from "../schema/table.ts";
import type { TableColumn } from "../schema/table-column.ts";
import type { ConstraintViolation } from "./constraint-violation.ts";
import type { FamilyDialects } from "./dialect/dialect-findings.ts";
import type { EngineDriver } from "./driver.ts";
import type { ErrorKind } from "./error-kind.ts";
import type { FamilyDdl } from "./family-ddl.ts";
import type { HideValues } from "./hidden-values.ts";
import type { JsonQuery } from "./json-recipe.ts";
import type { KeyLists } from "./key-lists.ts";
import type { MissingName } from "./missing-name.ts";
import type { NameRules } from "./names/name-rules.ts";
import type { DatabaseUrl, FamilyName } from "./options/database-url.ts";
import type { DriverConfig } from "./options/driver-config.ts";
import type { ResolvedEngineOptions } from "./options/resolved-options.ts";
import type { RunQuery } from "./reflection/catalog-query.ts";
import type { ReflectedSchema } from "./reflection/reflected-table.ts";
import type { Feature } from "./statement/feature.ts";
import type { KnownWords } from "./statement/used-features.ts";
import type { TransactionText } from "./transaction-text.ts";
import type { TwoPhase } from "./two-phase/two-phase.ts";
import type { Codec } from "./values/codec.ts";

/** The effect of a statement on rows. */
export type WriteKind = "insert" | "update" | "delete";

/** How a family writes many rows best: by lists of rows, or by a list of all rows' values for each column. */
export type BulkStrategy = RowwiseStrategy | { readonly by: "column"; readonly statements: ColumnwiseStatements };

/** How rows are written by statements that list them. A statement that inserts a single row tells its generated key. */
export interface RowwiseStrategy {
  readonly by: "row";
  /** The most rows of one statement. */
  readonly mostRows: number;
  /** Whether rows that are fewer are written one by one, so that there is only one statement to be prepared. */
  readonly restOneByOne: boolean;
  readonly update: BulkUpdate;
  /**
   * Makes what tells, within a transaction, whether the rows of one statement get generated keys that follow one another,
   * so that the last one tells all. Absent where they have to be given back.
   */
  numbering?(table: AnyTable): (run: QueryRunner) => Promise<boolean>;
}

/** The statement that updates many rows in the same columns, each by its key. It changes no key. */
export interface BulkUpdate {
  sql(table: AnyTable, columns: readonly TableColumn[], key: readonly TableColumn[], rows: number): string;
  /** @param rows for each row its new values, then its key */
  parameters(rows: readonly (readonly unknown[])[], columns: number): readonly unknown[];
}

/** The statements of a family that takes the values of many rows column by column. */
export interface ColumnwiseStatements {
  /** Reads the types of a table's columns. */
  columnTypes(table: AnyTable, run: QueryRunner): Promise<ReadonlyMap<string, ListedType>>;
  /** Whether lists store what each of these rows would store alone. */
  canList(columns: readonly TypedColumn[], rows: readonly (readonly unknown[])[]): boolean;
  /** Inserts rows in the order of the lists. */
  insert(table: AnyTable, columns: readonly TypedColumn[], returned: readonly TableColumn[]): string;
  /**
   * Locks rows by their keys, in the order of the lists.
   *
   * @param changesKeys whether others have to wait too that insert references to the rows
   */
  lock(table: AnyTable, key: readonly TypedColumn[], changesKeys: boolean): string;
  /** Updates the rows that `where` tells, locked in the order of the lists, and returns their positions in the lists, from 1, in a column `position`. */
  update(table: AnyTable, columns: readonly TypedColumn[], where: readonly TypedColumn[], changesKeys: boolean): string;
}

/** A column's type in the database, and how a list of its values is sent. */
export interface ListedType {
  /** The type as the database writes it, without a length. */
  readonly type: string;
  /** Whether the list is of the type itself; if not, it is of text. */
  readonly isListed: boolean;
  /** Whether its values are bytes. */
  readonly isBytes: boolean;
}

/** A column and its type in the database. */
export interface TypedColumn {
  readonly column: TableColumn;
  readonly type: ListedType;
}

/** What makes a commit survive a crash of the computer, where the database's settings may say otherwise. */
export interface Durability {
  /** The statement to run before the transaction begins; absent where the database needs no statement. */
  readonly before?: string;
  /** The statement to run within the transaction; absent if no statement is needed. */
  readonly within?: string;
}

/** The statements around and within a transaction that make it wait for a lock only for a second. */
export interface ShortLockWait {
  readonly before?: string;
  readonly within?: string;
  readonly after?: string;
}

/** A module of Node.js that can take the place of a family's driver package. */
export interface BuiltInDriver {
  /** The module and the versions of Node.js that have all that is used of it, for messages. */
  readonly name: string;
  /** Whether a module's exports are those of that module, with all that is used. */
  is(exported: unknown): boolean;
}

/** A URL whose place does not depend on the process any more. */
export interface LocatedUrl {
  readonly url: DatabaseUrl;
  /** The folder that a relative path was put below, which has to be there. */
  readonly directory?: string;
}

/** Runs SQL text and gives its rows. */
export type QueryRunner = (sql: string, parameters: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>;

/**
 * Functions of numbers, for a database that keeps decimals as text. They take that text, integers and floating-point numbers:
 * `decimal` makes the text of any of them, `round` the same with so many decimal places; `real`, `integer` (of so many bits),
 * `text` (with so many decimal places) and `plain` (with as many as there are) what other columns hold; the others calculate exactly.
 */
export type DecimalFunction =
  | ("decimal" | "round" | "real" | "integer" | "text" | "plain" | "negative" | "absolute")
  | ("add" | "subtract" | "multiply" | "divide" | "remainder")
  | ("sum" | "avg");

/** How a database calculates with decimals that it keeps as text. */
export interface DecimalArithmetic {
  /** Whether values of a type are kept as text. */
  isText(type: LogicalType): boolean;
  /** The database's name of a function. */
  name(of: DecimalFunction): string;
}

/** How a database that keeps dates, times and instants as text makes them of one another. */
export interface InstantText {
  /** The instant at which a date begins. */
  ofDate(date: OperationNode): OperationNode;
  date(instant: OperationNode): OperationNode;
  time(instant: OperationNode): OperationNode;
  /** An instant without what is finer than a millisecond. */
  milliseconds(instant: OperationNode): OperationNode;
}

/** How a database matches patterns of `like` whose own `like` is another than SQL's: case counts, and `\\` escapes. */
export interface PatternMatching {
  /** The operator in place of each. */
  readonly operators: Readonly<Record<"like" | "not like", string>>;
  /** The pattern that the operator takes. */
  pattern(like: string): string;
  /** The same for a pattern that the database works out. */
  expression(like: OperationNode): OperationNode;
}

/** How waits for locks are bounded while a transaction is open. */
export interface LockTimeout {
  /**
   * The statement that bounds the waits from now on. A shorter bound that is set already stays.
   *
   * @param timeout in milliseconds
   */
  bound(timeout: number): string;
  /**
   * The statement that takes the bound away after the transaction. Absent where it ends with the transaction, or when a
   * savepoint before it is rolled back to.
   */
  readonly restore?: string;
}

/**
 * A family of databases: everything that differs from one to the other, in one place each.
 *
 * @see SQLAlchemy: `Dialect`
 */
export interface Family {
  readonly name: FamilyName;
  /** What people call it. */
  readonly label: string;
  /** The npm package that talks to it. */
  readonly driverPackage: string;
  /** The function or class of that package that connects; absent where it is the package itself. */
  readonly driverMember?: string;
  /** A part of Node.js that talks to it as well, if the option `driver` has it; absent by default. */
  readonly builtIn?: BuiltInDriver;
  /**
   * Checks what a URL says beyond its common parts; absent where there is nothing to check.
   *
   * @throws {InvalidUrlError}
   */
  checkUrl?(url: DatabaseUrl): void;
  /**
   * Checks the options of an engine that not every database takes.
   *
   * @param where whose options these are, for the error
   * @throws {InvalidOptionError}
   */
  checkOptions(options: ResolvedEngineOptions, where: string): void;
  /** Options that engines with its own driver have unless others are given. */
  readonly defaults: Partial<Pick<ResolvedEngineOptions, "poolRecycle" | "networkTimeout">>;
  /**
   * The place of a URL as engines use it; absent where it is the URL.
   *
   * @param folder what relative paths are relative to
   */
  locate?(url: DatabaseUrl, folder: string): LocatedUrl;
  /** Why what is written to the database at a URL would not outlive the process, as the end of a sentence. */
  whyFleeting?(url: DatabaseUrl): string | undefined;
  createDriver(config: DriverConfig): EngineDriver;
  /** Returns what stands for a database of which there is one writer in this process; the same for all ways to name it. */
  place?(url: DatabaseUrl, bindKey: BindKey): object | undefined;
  createCompiler(): QueryCompiler;
  createAdapter(): DialectAdapter;
  createIntrospector(db: Kysely<unknown>): DatabaseIntrospector;
  /** Kysely dialects for it. */
  readonly dialects: FamilyDialects;
  /** Which names the database keeps. */
  readonly names: NameRules;
  /** How values of a type are written and read. */
  codec(type: LogicalType): Codec;
  /**
   * The driver's form of a value that belongs to no column; absent if the driver takes every value.
   *
   * @throws {Refusal} if the database has no such value
   */
  parameter?(value: unknown): unknown;
  /**
   * Makes JSON of the rows of a query.
   *
   * @throws {UnsupportedError} if the database cannot nest such a query
   */
  rowsAsJson(query: JsonQuery): RawNode;
  /** Columns that every table has without a description, in lower case. */
  readonly systemColumns: ReadonlySet<string>;
  /** Whether a statement can give back the rows that it writes. */
  supportsReturning(kind: WriteKind): boolean;
  /** Whether a new row always has the key that it was sent with: no trigger or padding changes it on the way in. */
  readonly storesKeysAsGiven: boolean;
  /** Whether `returning *` of an update or delete gives the columns of joined tables too. */
  readonly returnsJoinedTables: boolean;
  /** Whether a row of an insert can say `default` for a column. */
  readonly supportsDefaultKeyword: boolean;
  /** The type that each value of a list must be cast to, where the list would be compared less exactly than one value. */
  listedType?(type: LogicalType): string | undefined;
  /** How to calculate with decimals; absent where the database keeps them as numbers. */
  readonly decimals?: DecimalArithmetic;
  /** The present instant, where `current_timestamp` alone is another than those that are kept. */
  readonly now?: OperationNode;
  /** How dates, times and instants become one another; absent where the database does that by itself. */
  readonly instants?: InstantText;
  /** How patterns are matched; absent where `like` is SQL's. */
  readonly patterns?: PatternMatching;
  /** Whether the common table expressions of an insert stand before its select, not before all of it. */
  readonly withBehindInsert?: true;
  /** Whether a statement is planned anew whenever a parameter that a column is to equal is bound. */
  readonly plansByParameters?: true;
  /** The operator that says `is not distinct from`, where the database lacks those words. */
  readonly nullSafeEquality?: "<=>";
  /** What Kysely's form has and this database lacks. */
  readonly lacks: ReadonlySet<Feature>;
  /** What only some servers of the family lack; the driver knows which. */
  readonly lacksInPart?: ReadonlySet<Feature>;
  /** Which operators, functions and types are features. */
  readonly words: KnownWords;
  /** The words that lock rows as `for share` does, where they are others. */
  readonly shareLock?: RawNode;
  /** The facts in an error of the driver. */
  errorKind(error: unknown): ErrorKind;
  /** The error's message, where `error.message` is not fit to be shown. */
  errorMessage?(error: unknown): string | undefined;
  /**
   * The constraint that an error of the driver names.
   *
   * @param sql the statement, where there was one
   */
  violation(error: unknown, sql: string | undefined): ConstraintViolation;
  /** The name that an error of the driver says is missing or ambiguous; undefined for other errors. */
  missingName(error: unknown): MissingName | undefined;
  /** Makes what takes the values of the statement out of the texts of an error; absent where they hold no values. */
  hideValues?(error: unknown): HideValues;
  /** Whether null comes before all values where rows are ordered by a column. */
  readonly nullsComeFirst: boolean;
  /** Whether single rows can be locked; where not, a transaction that writes has the whole database to itself. */
  readonly locksRows: boolean;
  /** Whether rows can be locked against changes of their keys alone. */
  readonly locksKeys: boolean;
  /** How many rows are written at once. */
  readonly bulk: BulkStrategy;
  /** How rows are read by many keys at once. */
  readonly keyLists: KeyLists;
  /** The most parameters that a statement may have. */
  readonly mostParameters: number;
  /** Whether statements that create and drop tables can be rolled back. */
  readonly transactionalDdl: boolean;
  /** A column's type in `create table`. */
  columnType(column: TableColumn, generated: boolean): string;
  /** Whether the database tells of SQL text that it only reads, without running it. */
  readonly tellsReads?: true;
  /** Which SQL text begins or ends transactions. */
  readonly transactionText: TransactionText;
  /** Whether a transaction that is over although it was not ended is rolled back for certain. */
  readonly onlyRollsBack?: true;
  /** How tables are made and dropped. */
  readonly ddl: FamilyDdl;
  /**
   * Makes the statement after which the database generates values of a column that are greater than one that was given,
   * its only parameter; absent where it does so by itself.
   */
  advanceGenerator?(table: AnyTable, column: TableColumn): string;
  /** Reads all tables of the connection's own schema. */
  reflect(run: RunQuery): Promise<ReflectedSchema>;
  /** How transactions are prepared and ended later; absent where they cannot be. */
  readonly twoPhase?: TwoPhase;
  /**
   * Reads all that tells the database which holds a table from copies of it: from one restored from a dump, and, as far as
   * the database can say, from a copy of its files. It stays the same when the server starts again.
   */
  identity(run: RunQuery, table: string): Promise<readonly string[]>;
  /** How one is sure of a commit: absent where the database's own settings decide. */
  readonly durability?: Durability;
  /** How waits for locks are bounded; absent where a transaction that writes waits for nothing. */
  readonly lockTimeout?: LockTimeout;
  /** How a transaction waits for a lock only for a second; absent where it waits for none. */
  readonly shortLockWait?: ShortLockWait;
}
