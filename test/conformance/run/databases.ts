import { type Application, type BindKey, type DatabaseUrl, Multibind, sql } from "../../../src/index.ts";
import { FormatError, isObject, type Json, type JsonObject, memberOf } from "../read/json.ts";
import type { ChosenBinds } from "./chosen-binds.ts";
import { PostgresDatabases } from "./postgres.ts";
import { preparingPostgres } from "./preparing-postgres.ts";
import type { Recorder } from "./recorder.ts";

type Row = Readonly<Record<string, unknown>>;

const POSTGRES = /^pg:/;

/** The databases of a case, reached past its session: to fill them before, and to look at what is committed. */
export class Databases implements AsyncDisposable {
  readonly postgres: PostgresDatabases;
  #application: Application | undefined;
  #unseen: (<T>(work: () => Promise<T>) => Promise<T>) | undefined;
  #others: Application | undefined;

  /** @param prepares whether transactions are to be prepared in them */
  constructor(prepares: boolean) {
    this.postgres = new PostgresDatabases(prepares ? preparingPostgres : undefined);
  }

  /** A case's configuration with a fresh database in the place of each `pg:…`. */
  async withPostgres(config: JsonObject): Promise<JsonObject> {
    const { uri, binds } = config;
    const replaced = async (value: Json): Promise<Json> => {
      if (typeof value === "string") return POSTGRES.test(value) ? this.postgres.create() : value;
      const url = memberOf(value, "url");
      return typeof url === "string" ? { ...(value as JsonObject), url: await replaced(url) } : value;
    };
    return {
      ...config,
      ...(uri === undefined ? {} : { uri: await replaced(uri) }),
      ...(isObject(binds)
        ? {
            binds: Object.fromEntries(
              await Promise.all(
                Object.entries(binds).map(async ([key, value]) => [key, await replaced(value)] as const),
              ),
            ),
          }
        : {}),
    };
  }

  /** Says which application's databases these are. */
  attach(application: Application, recorder: Recorder, chosen: ChosenBinds): void {
    this.#application = application;
    this.#unseen = (work) => recorder.unseen(() => chosen.unseenWork(work));
    const urls = [...application.engines].flatMap(([key, { url }]): [BindKey, DatabaseUrl][] =>
      url === undefined || url.isMemory ? [] : [[key, url]],
    );
    if (urls.length > 0)
      this.#others = new Multibind({ engineOptions: { poolTimeout: 5 } }).init({ binds: new Map(urls) });
  }

  /**
   * Runs SQL text over a connection of its own. A database in memory has only one: there the statement runs on it, and
   * is not noted.
   */
  async run(bindKey: BindKey, text: string): Promise<Row[]> {
    if (this.#application === undefined || this.#unseen === undefined)
      throw new FormatError("the case has no application");
    const application = this.#others?.engines.has(bindKey) === true ? this.#others : this.#application;
    return this.#unseen(async () => {
      const session = application.session();
      try {
        const { rows } = await session.execute(sql.raw<Row>(text), { bindKey });
        await session.commit();
        return rows;
      } finally {
        await session.close();
      }
    });
  }

  /** The rows of a table that are committed, in the order of their first columns. */
  async rowsOf(bindKey: BindKey, table: string): Promise<Json[]> {
    const rows = await this.run(bindKey, `select * from "${table}" order by 1`);
    return rows.map((row) => Object.values(row) as Json[]);
  }

  /** The kind of database behind a bind. */
  familyOf(bindKey: BindKey): string | undefined {
    return this.#application?.engines.get(bindKey).family.name;
  }

  /** The name of a PostgreSQL database. @throws {FormatError} if the bind is no PostgreSQL database */
  nameOf(bindKey: BindKey): string {
    const name = this.#application?.engines.get(bindKey).url?.database;
    if (this.familyOf(bindKey) !== "postgres" || name === undefined)
      throw new FormatError("only a PostgreSQL server's connections and prepared transactions can be ended by others");
    return name;
  }

  /** The names of the tables that there are, in alphabetical order. */
  async tablesOf(bindKey: BindKey): Promise<string[]> {
    const rows = await this.run(
      bindKey,
      this.familyOf(bindKey) === "sqlite"
        ? "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name"
        : "select table_name as name from information_schema.tables where table_schema = current_schema() order by table_name",
    );
    return rows.map(({ name }) => String(name));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#others?.dispose();
    await this.#application?.dispose();
    await this.postgres[Symbol.asyncDispose]();
  }
}
