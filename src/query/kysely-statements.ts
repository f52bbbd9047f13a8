import type { KyselyForm } from "./kysely-form.ts";

/** What begins statements in Kysely's form: a session, and a `db` for the session of its context. */
export abstract class KyselyStatements {
  /** @internal the builders, bound to the runner of their statements */
  protected abstract kyselyForm(method: keyof KyselyForm): KyselyForm;

  /**
   * Kysely's `selectFrom`: rows of models and tables, from the engine of their bind.
   *
   * @example
   * await db.selectFrom(User).innerJoin(Login, "login.userId", "user.id").select(["user.name"]).execute();
   *
   * @see SQLAlchemy: `select(table.c.name)`
   */
  get selectFrom(): KyselyForm["selectFrom"] {
    return this.kyselyForm("selectFrom").selectFrom;
  }

  /** Kysely's `selectNoFrom`: values of no table, on the default engine or that of the tables in subqueries. */
  get selectNoFrom(): KyselyForm["selectNoFrom"] {
    return this.kyselyForm("selectNoFrom").selectNoFrom;
  }

  /**
   * Kysely's `insertInto` on a model or table. Client defaults apply; the insert is part of the session's transaction.
   *
   * @example
   * await db.insertInto(tag).values([{ label: "x" }]).execute();
   *
   * @see SQLAlchemy: `insert`
   */
  get insertInto(): KyselyForm["insertInto"] {
    return this.kyselyForm("insertInto").insertInto;
  }

  /** Kysely's `replaceInto` on a model or table, for MySQL, MariaDB and SQLite. */
  get replaceInto(): KyselyForm["replaceInto"] {
    return this.kyselyForm("replaceInto").replaceInto;
  }

  /**
   * Kysely's `updateTable`. What columns say with `onUpdate` applies.
   *
   * @example
   * await db.updateTable(User).set({ bio: null }).where("id", "=", 1).execute();
   *
   * @see SQLAlchemy: `update`
   */
  get updateTable(): KyselyForm["updateTable"] {
    return this.kyselyForm("updateTable").updateTable;
  }

  /** Kysely's `deleteFrom`. @see SQLAlchemy: `delete` */
  get deleteFrom(): KyselyForm["deleteFrom"] {
    return this.kyselyForm("deleteFrom").deleteFrom;
  }

  /** Kysely's `mergeInto` on a model or table, for PostgreSQL. */
  get mergeInto(): KyselyForm["mergeInto"] {
    return this.kyselyForm("mergeInto").mergeInto;
  }

  /** Kysely's `with`: a statement with common table expressions. @see SQLAlchemy: `cte` */
  get with(): KyselyForm["with"] {
    return this.kyselyForm("with").with;
  }

  /** Kysely's `withRecursive`. @see SQLAlchemy: `cte(recursive=True)` */
  get withRecursive(): KyselyForm["withRecursive"] {
    return this.kyselyForm("withRecursive").withRecursive;
  }
}
