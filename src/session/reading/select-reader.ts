import type { QueryResult, SelectQueryNode } from "kysely";
import type { Awaitable } from "../../awaitable.ts";
import type { BindKey } from "../../bind-key.ts";
import type { Engine } from "../../engine/engine.ts";
import type { GivenValues } from "../../engine/statement/placeholders.ts";
import type { Entity } from "../../model/entity.ts";
import type { BulkStatement } from "../../query/select/bulk-statement.ts";
import type { IncludePlan } from "../../query/select/include.ts";
import type {
  CompiledSelect,
  ReadOptions,
  ReadWith,
  RunSelect,
  SelectResult,
  SelectRunner,
  SelectTemplate,
} from "../../query/select/select-runner.ts";
import type { UnitOfWork } from "../entities/unit-of-work.ts";
import { KeyReader } from "../relations/key-reader.ts";
import { RelationLoader } from "../relations/relation-loader.ts";
import type { RelationSettings } from "../relations/relation-settings.ts";
import type { Router } from "../router.ts";
import type { RoutedStatement, StatementRunner } from "../statement-runner.ts";
import type { Transactions } from "../transaction/transactions.ts";
import { BulkWrite } from "./bulk-write.ts";
import { hydratorFor } from "./hydration.ts";
import { type LoadOptions, loadEntities, loadTogether } from "./load-entities.ts";
import type { DriverRow } from "./row-functions.ts";

/** A view of the session for reading selects. */
export interface SelectHost {
  readonly router: Router;
  readonly transactions: Transactions;
  readonly work: UnitOfWork;
  readonly relations: RelationSettings;
}

type EntityResult = Exclude<SelectResult, { readonly kind: "rows" }>;

/** Runs the `select(Model)` statements of a session. */
export class SelectReader implements SelectRunner {
  readonly #host: SelectHost;
  readonly #runner: StatementRunner;
  #relations: RelationLoader | undefined;
  #keys: KeyReader | undefined;

  constructor(host: SelectHost, runner: StatementRunner) {
    this.#host = host;
    this.#runner = runner;
  }

  read({ node, result }: RunSelect, options: ReadOptions): Awaitable<unknown[]> {
    return this.#results(this.#runner.prepare<DriverRow>(node), result, options);
  }

  readTemplate(
    { template, result }: SelectTemplate,
    given: GivenValues,
    options: ReadOptions = {},
  ): Awaitable<unknown[]> {
    return this.#results(this.#runner.fill<DriverRow>(template, given), result, options);
  }

  /** What becomes of the rows of a statement that has found its engine. */
  #results(routed: RoutedStatement<DriverRow>, result: SelectResult, options: ReadOptions): Awaitable<unknown[]> {
    const items = this.#items(routed, result, options);
    if (result.kind === "rows" || result.include === undefined) return items;
    return this.#withIncluded(items, result.include, options);
  }

  async #withIncluded(read: Awaitable<unknown[]>, include: IncludePlan, options: ReadOptions): Promise<unknown[]> {
    const items = await read;
    // Of several entities in a row, the first is of the model that the select began with.
    const entities = items.map((item) => (Array.isArray(item) ? item[0] : item) as Entity | null);
    const root = { entities: new Set(entities.filter((entity) => entity !== null)), plan: include };
    await this.relations.load([root], { ...options, refresh: true });
    return items;
  }

  /** Loads relations for the session. */
  get relations(): RelationLoader {
    this.#relations ??= new RelationLoader(this.#host.work, this.keys);
    return this.#relations;
  }

  /** Reads entities by many keys. */
  get keys(): KeyReader {
    this.#keys ??= new KeyReader(this.#host, this.#runner, this.#host.relations.chunk);
    return this.#keys;
  }

  #items(routed: RoutedStatement<DriverRow>, result: SelectResult, options: ReadOptions): Awaitable<unknown[]> {
    const { compiled, engine } = routed;
    const now = this.#runner.runNow(routed, options);
    if (result.kind === "rows") {
      if (now === undefined) return this.#rows(routed, options);
      compiled.readRows?.(now.rows);
      return [...now.rows];
    }
    return now === undefined ? this.#entities(routed, result, options) : this.#load(result, engine, now.rows, {});
  }

  async *stream({ node, result }: RunSelect, chunkSize: number, options: ReadOptions): AsyncIterableIterator<unknown> {
    const { work } = this.#host;
    const routed = this.#runner.prepare<DriverRow>(node);
    if (result.kind === "rows") {
      for await (const { rows } of this.#runner.stream(routed, chunkSize, options)) yield* withSignal(rows, options);
      return;
    }
    for await (const { rows } of this.#runner.stream(unconverted(routed), chunkSize, options)) {
      for (const row of withSignal(rows, options)) {
        const made: Entity[] = [];
        const items = this.#load(result, routed.engine, [row], { made });
        try {
          yield* items;
        } finally {
          for (const entity of made) work.release(entity);
        }
      }
    }
  }

  async readWith(columns: readonly string[], { node, result }: RunSelect, options: ReadOptions): Promise<ReadWith[]> {
    const { transactions } = this.#host;
    const routed = this.#runner.prepare<DriverRow>(node);
    const { engine, compiled } = routed;
    let read: ReadWith[] = [];
    await this.#runner.run(unconverted(routed), options, ({ rows }: QueryResult<DriverRow>) => {
      const beside = rows.map((row) => taken(row, columns));
      compiled.readRows?.(beside);
      const undo = transactions.undoOn(engine);
      if (result.kind === "rows") compiled.readRows?.(rows);
      const items = result.kind === "rows" ? rows : this.#load(result, engine, rows, { undo });
      read = items.map((item, index) => ({ item, values: columns.map((name) => beside[index]![name]) }));
    });
    if (result.kind !== "rows" && result.include !== undefined)
      await this.#withIncluded(
        read.map(({ item }) => item),
        result.include,
        options,
      );
    return read;
  }

  nullsComeFirst(bindKey: BindKey): boolean {
    return this.#host.router.forKey(bindKey).family.nullsComeFirst;
  }

  write(statement: BulkStatement, options: ReadOptions): Promise<number> {
    return new BulkWrite(this.#host, this.#runner).run(statement, options);
  }

  compile(node: SelectQueryNode, bindKey: BindKey | undefined): CompiledSelect {
    const { compiled, engine } = this.#runner.prepare(node, bindKey);
    const { sql, parameters } = compiled.query;
    return { sql, parameters, bindKey: engine.bindKey };
  }

  async #rows(routed: RoutedStatement<DriverRow>, options: ReadOptions): Promise<unknown[]> {
    return [...(await this.#runner.run(routed, options)).rows];
  }

  async #entities(routed: RoutedStatement<DriverRow>, result: EntityResult, options: ReadOptions): Promise<unknown[]> {
    const { transactions } = this.#host;
    const { engine } = routed;
    let items: unknown[] = [];
    // Entities are made of the rows before anything else runs on the bind.
    await this.#runner.run(unconverted(routed), options, ({ rows }: QueryResult<DriverRow>) => {
      items = this.#load(result, engine, rows, { undo: transactions.undoOn(engine) });
    });
    return items;
  }

  #load(result: EntityResult, engine: Engine, rows: readonly DriverRow[], options: LoadOptions): unknown[] {
    const { work } = this.#host;
    if (result.kind === "entities") return loadEntities(work, hydratorFor(result.selection, engine), rows, options);
    const hydrators = result.selections.map((selection) => hydratorFor(selection, engine));
    return loadTogether(work, hydrators, rows, options);
  }
}

/** Gives rows until a signal is aborted, and then throws its reason. */
function* withSignal<T>(rows: Iterable<T>, { signal }: ReadOptions): Iterable<T> {
  for (const row of rows) {
    signal?.throwIfAborted();
    yield row;
  }
}

/** Some columns of a row, which it has no longer. */
function taken(row: DriverRow, columns: readonly string[]): DriverRow {
  return Object.fromEntries(
    columns.map((name) => {
      const value = row[name];
      delete row[name];
      return [name, value];
    }),
  );
}

/** Hydration converts the values of rows that become entities. */
function unconverted(routed: RoutedStatement<DriverRow>): RoutedStatement<DriverRow> {
  return { ...routed, compiled: { query: routed.compiled.query } };
}
