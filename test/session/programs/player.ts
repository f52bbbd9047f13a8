import assert from "node:assert/strict";
import {
  type Application,
  type Entity,
  type NestedTransaction,
  PartialCommitError,
  SerializationError,
  type Session,
  stateOf,
} from "../../../src/index.ts";
import { KeyReference, keyOf } from "../../../src/session/flush/key-reference.ts";
import { BIND_KEYS, Foreign, LEAST_GENERATED, MODELS, type Witness } from "./databases.ts";
import { type Faults, SilentFault } from "./faults.ts";
import { type ModelEntity, Reference, type Row, type Values } from "./model-entity.ts";
import type { Bind, ForeignUse, Given, GivenRef, Operation } from "./operations.ts";
import { BINDS, type Expected, type ModelChange, type ModelNested, SessionModel, VERSIONED } from "./session-model.ts";

type AnyEntity = Entity & Values;
/** One of the models, all of which can do what programs do. */
type ProgramModel = (typeof MODELS)[0];

interface Nested {
  readonly real: NestedTransaction;
  readonly model: ModelNested;
}

/** What came of an operation on the session. */
type Outcome<T> =
  | { readonly value: T; readonly error?: undefined }
  | { readonly value?: undefined; readonly error: unknown };

/** What became of programs. */
export interface Figures {
  operations: number;
  commits: number;
  partialCommits: number;
  unknownCommits: number;
  faultsFelt: number;
}

export function noFigures(): Figures {
  return { operations: 0, commits: 0, partialCommits: 0, unknownCommits: 0, faultsFelt: 0 };
}

/** Plays a program on a session and on the model of one, and compares the two after each operation. */
export class Player {
  readonly #session: Session<"auth" | "meta">;
  readonly #witnesses: readonly Witness[];
  readonly #faults: Faults;
  readonly #figures: Figures;
  readonly #model = new SessionModel();
  readonly #nested: Nested[] = [];
  /** What `modelsCommitted` has told. */
  readonly #told: (readonly [object, string])[] = [];
  readonly #toTell: ModelChange[] = [];
  #functions = 0;

  constructor(app: Application<"auth" | "meta">, witnesses: readonly Witness[], faults: Faults, figures: Figures) {
    this.#session = app.session();
    this.#witnesses = witnesses;
    this.#faults = faults;
    this.#figures = figures;
    this.#session.on("modelsCommitted", (changes) => this.#told.push(...changes));
    // A failure afterwards takes generated keys back, but what was committed before that has them.
    this.#session.on("afterFlush", () => {
      for (const entity of this.#model.entities) {
        const { id } = entity.real as Values;
        if (typeof id === "number") entity.lastKey = id;
      }
    });
  }

  async play(program: readonly Operation[]): Promise<void> {
    try {
      for (const operation of program) await this.#step(operation);
      await this.#step({ kind: "rollback" });
    } finally {
      this.#faults.arm(undefined);
      await this.#session.close();
    }
  }

  async #step(operation: Operation): Promise<void> {
    this.#figures.operations++;
    try {
      await this.#perform(operation);
      if (this.#faults.haveStruck && this.#model.isActive && !this.#session.isActive) throw new SilentFault();
    } catch (error) {
      await this.#faults.settled();
      if (!this.#faults.caused(error)) throw error;
      if (this.#functions > 0) throw error;
      await this.#recover(operation, error);
    }
    await this.#faults.settled();
    await this.#compare();
    const ends = ["commit", "rollback", "transaction", "reset", "commitNested", "rollbackNested"].includes(
      operation.kind,
    );
    if (ends) await this.#compareStored();
  }

  async #perform(operation: Operation): Promise<void> {
    const session = this.#session;
    const model = this.#model;
    switch (operation.kind) {
      case "new": {
        const { bind, given, add } = operation;
        const real = this.#make(bind, given);
        const entity = model.new(bind, real, this.#held(bind, given));
        if (add)
          await this.#both(
            () => session.add(real),
            () => model.add(entity),
          );
        return;
      }
      case "add":
      case "delete":
      case "expunge": {
        const { kind } = operation;
        const entity = this.#entity(operation.entity);
        if (entity !== undefined)
          await this.#both(
            () => session[kind](entity.real as Entity),
            () => model[kind](entity),
          );
        return;
      }
      case "change": {
        const entity = this.#entity(operation.entity);
        if (entity === undefined) return;
        const [[name, value]] = Object.entries(operation.change) as [[string, number | string | GivenRef]];
        if (name === "code" && entity.bind === VERSIONED) return;
        const ref = name === "ref" ? (value as GivenRef) : undefined;
        (entity.real as Values)[name] = ref === undefined ? value : this.#realRef(ref);
        model.change(entity, { [name]: ref === undefined ? value : this.#modelRef(ref) });
        return;
      }
      case "get":
        return this.#get(operation.bind, operation.key, operation.lock);
      case "getOf": {
        const entity = this.#entity(operation.entity);
        if (entity === undefined) return;
        return this.#get(entity.bind, entity.row?.id ?? (entity.held["id"] as number | undefined) ?? 1, operation.lock);
      }
      case "query": {
        const { bind } = operation;
        await this.#both(
          () => session.select(modelOf(bind)).where("id", "<>", LEAST_GENERATED).orderBy("id").all(),
          (found) => {
            const [failure, entities] = model.query(bind, new Map(found?.map((entity) => [entity.id, entity])));
            if (found !== undefined && failure.length === 0) {
              assert.deepEqual(
                found.map(({ id }) => id),
                entities.map(({ held: { id } }) => id),
              );
              for (const [index, entity] of entities.entries()) assert.equal(found[index], entity.real);
            }
            return failure;
          },
        );
        return;
      }
      case "refresh": {
        const entity = this.#entity(operation.entity);
        if (entity !== undefined) {
          await this.#both(
            () => session.refresh(entity.real as Entity),
            () => model.refresh(entity),
          );
        }
        return;
      }
      case "merge": {
        const entity = this.#entity(operation.entity);
        if (entity === undefined || this.#isOutdated(entity)) return;
        return this.#merge(entity.bind, entity.real, entity, entity.held);
      }
      case "mergeNew": {
        const { bind, given } = operation;
        return this.#merge(bind, this.#make(bind, given), undefined, this.#held(bind, given));
      }
      case "sqlUpdate":
      case "sqlDelete": {
        const entity = this.#entity(operation.entity);
        if (entity?.row === undefined || entity.row === null) return;
        const { id } = entity.row;
        const Model = modelOf(entity.bind);
        const value = operation.kind === "sqlUpdate" ? operation.value : undefined;
        await this.#both<unknown>(
          () =>
            value === undefined
              ? session.deleteFrom(Model).where("id", "=", id).execute()
              : session.updateTable(Model).set({ value }).where("id", "=", id).execute(),
          () => model.write(entity.bind, id, value),
        );
        return;
      }
      case "othersUpdate":
      case "othersDelete": {
        const entity = this.#entity(operation.entity);
        if (entity?.row === undefined || entity.row === null || !model.isFree(entity.bind)) return;
        const {
          bind,
          row: { id },
        } = entity;
        const { fullName: name } = MODELS[bind].table;
        const value = operation.kind === "othersUpdate" ? operation.value : undefined;
        await this.#witnesses[bind]!.write(
          value === undefined
            ? `delete from ${name} where id = ${id}`
            : `update ${name} set value = ${value} where id = ${id}`,
        );
        model.writeByOthers(bind, id, value);
        return;
      }
      case "flush":
        await this.#both(
          () => session.flush(),
          () => model.flush(),
        );
        return;
      case "commit":
        await this.#both(
          () => session.commit(),
          () => model.commit((changes) => this.#committed(changes)),
        );
        return;
      case "rollback":
      case "reset":
      case "begin":
      case "expungeAll": {
        const { kind } = operation;
        await this.#both(
          () => session[kind](),
          () => model[kind](),
        );
        return;
      }
      case "beginNested":
        await this.#both(
          () => session.beginNested(),
          (real) => {
            const [failure, nested] = model.beginNested();
            if (real !== undefined && nested !== undefined) this.#nested.push({ real, model: nested });
            return failure;
          },
        );
        return;
      case "commitNested":
      case "rollbackNested": {
        const nested = this.#nested.at(-1 - (operation.nested % Math.max(1, this.#nested.length)));
        if (nested === undefined) return;
        const { kind } = operation;
        const end = kind === "commitNested" ? "commit" : "rollback";
        await this.#both(
          () => nested.real[end](),
          () => model[kind](nested.model),
        );
        return;
      }
      case "bulkUpdate": {
        const { bind, value, note } = operation;
        await this.#both(
          () => session.select(modelOf(bind)).where("id", "<>", LEAST_GENERATED).where({ value }).update({ note }),
          () => model.bulkUpdate(bind, value, note),
        );
        return;
      }
      case "swap": {
        const [one, other] = [this.#entity(operation.entity), this.#entity(operation.other)];
        if (one === undefined || other === undefined || one.bind !== other.bind || one.bind === VERSIONED) return;
        const codes = [one.held["code"] ?? null, other.held["code"] ?? null];
        for (const [entity, value] of [
          [one, codes[1]],
          [other, codes[0]],
        ] as const) {
          (entity.real as Values)["code"] = value;
          model.change(entity, { code: value });
        }
        return;
      }
      case "foreign":
        await this.#both<unknown>(
          () => this.#useForeign(operation.use),
          () => ["OtherMultibindError"],
        );
        return;
      case "transaction":
        return this.#transaction(operation);
    }
  }

  /** Does something with the session, then with the model, and compares how they end. */
  async #both<T>(real: () => T | Promise<T>, model: (value: T | undefined) => Expected): Promise<void> {
    const outcome = await attempt(real);
    await this.#faults.settled();
    if (this.#faults.caused(outcome.error)) throw outcome.error;
    this.#judge(outcome.error, model(outcome.value));
  }

  #judge(error: unknown, expected: Expected): void {
    if (error === undefined && expected.length === 0) return;
    const name = error instanceof Error ? error.name : String(error);
    assert.ok(
      expected.includes(name),
      `expected ${expected.join(" or ") || "no error"}, got ${error instanceof Error ? (error.stack ?? error.message) : error}`,
    );
  }

  async #get(bind: Bind, key: number, lock: boolean): Promise<void> {
    await this.#both<AnyEntity | null>(
      () => this.#session.get(modelOf(bind), key, { lock }) as Promise<AnyEntity | null>,
      (found) => {
        const [failure, entity] = this.#model.get(bind, key, lock, found ?? null);
        if (found !== undefined && failure.length === 0) assert.equal(found, entity?.real ?? null);
        return failure;
      },
    );
  }

  async #merge(bind: Bind, real: object, from: ModelEntity | undefined, held: Values): Promise<void> {
    await this.#both(
      () => this.#session.merge(real as Entity),
      (found) => {
        const [failure, entity] = this.#model.merge(bind, from, held, found);
        if (found !== undefined && failure.length === 0) assert.equal(found, entity?.real);
        return failure;
      },
    );
  }

  async #transaction({ body, throws, retries }: Extract<Operation, { kind: "transaction" }>): Promise<void> {
    const thrown = new Error("thrown by the function");
    // Only the outermost function is run again.
    const isAgain = retries && this.#functions === 0 && this.#model.depth === 1;
    let restore: (() => void) | undefined;
    let nested: ModelNested | undefined;
    let entered = false;
    const outcome = await attempt(() =>
      this.#session.transaction(
        async () => {
          if (restore !== undefined) this.#model.retryFunction(restore);
          const isFirst = restore === undefined;
          if (isAgain) restore ??= this.#model.copyPending();
          const [failure, begun] = this.#model.beginFunction();
          assert.deepEqual(failure, []);
          nested = begun;
          entered = true;
          this.#functions++;
          try {
            for (const operation of body) await this.#step(operation);
          } finally {
            this.#functions--;
          }
          if (isAgain && isFirst && this.#model.isActive) throw new SerializationError("again", { retryable: true });
          if (throws) throw thrown;
        },
        isAgain ? { retries: 1 } : {},
      ),
    );
    await this.#faults.settled();
    if (this.#faults.caused(outcome.error)) throw outcome.error;
    if (outcome.error instanceof assert.AssertionError) throw outcome.error;
    const expected = entered
      ? this.#model.endFunction(nested, throws, (changes) => this.#committed(changes))
      : this.#model.beginFunction()[0];
    if (throws && entered) assert.equal(outcome.error, thrown);
    else this.#judge(outcome.error, expected);
  }

  /** Whether a merge would load the row and refuse it for its version, after which no one holds the entity. */
  #isOutdated({ bind, isInSession, held: { id, version } }: ModelEntity): boolean {
    if (bind !== VERSIONED || isInSession || typeof id !== "number" || version === undefined) return false;
    const row = this.#model.visible(bind).get(id);
    return row !== undefined && row.version !== version;
  }

  async #useForeign(use: ForeignUse): Promise<unknown> {
    const session = this.#session;
    const foreign = () => new Foreign({ value: 1, kind: "own" });
    switch (use) {
      case "add":
        return session.add(foreign());
      case "get":
        return session.get(Foreign, 1);
      case "select":
        return session.select(Foreign).all();
      case "insertInto":
        return session.insertInto(Foreign).values({ value: 1, kind: "own" }).execute();
      case "merge":
        return session.merge(foreign());
    }
  }

  #committed(changes: readonly ModelChange[]): void {
    this.#figures.commits++;
    this.#toTell.push(...changes);
  }

  /**
   * An operation has failed by a fault: whatever it was, each bind's rows are as before or as after its commit, and the
   * error says which. After a rollback the session goes on.
   */
  async #recover(operation: Operation, error: unknown): Promise<void> {
    this.#figures.faultsFelt++;
    const model = this.#model;
    model.abandonFunctions();
    if (error instanceof PartialCommitError) {
      this.#figures.partialCommits++;
      assert.deepEqual(model.flush(), [], "what was committed in part could be flushed");
      const bindsOf = (keys: PartialCommitError["committed"]) =>
        keys.map((key) => BIND_KEYS.indexOf(key as null) as Bind);
      const [committed, failed, rolledBack, unknown] = [
        bindsOf(error.committed),
        bindsOf(error.failed),
        bindsOf(error.rolledBack),
        bindsOf(error.unknown),
      ];
      assert.deepEqual(
        [...committed, ...failed, ...rolledBack, ...unknown].sort(),
        [...model.open].sort(),
        "the report names each bind that took part, once",
      );
      for (const bind of committed) this.#toTell.push(...model.keep(bind));
      for (const bind of unknown) {
        this.#figures.unknownCommits++;
        const isStored = sameRows(await this.#witnesses[bind]!.rows(), model.visible(bind));
        model.letGo(bind);
        if (isStored) model.keep(bind);
        else model.undoOn(bind);
      }
      for (const bind of [...failed, ...rolledBack]) model.undoOn(bind);
    }
    await this.#session.rollback();
    model.rollback();
    if (operation.kind === "reset") model.expungeAll();
    // Of a flush that failed in a nested transaction, that one was undone before all was.
    for (const entity of model.entities)
      if (entity.state === "transient") entity.held = this.#heldBy(entity.real as AnyEntity);
    await this.#compareStored();
  }

  /** Compares what the session and its entities say of themselves with the model. */
  async #compare(): Promise<void> {
    const session = this.#session;
    const model = this.#model;
    for (const [number, entity] of model.entities.entries()) {
      const real = entity.real as AnyEntity;
      const where = `entity ${number}`;
      assert.equal(stateOf(real), entity.state, `${where}: its state`);
      assert.deepEqual(plain(real), plain({ ...real, ...entity.held }), `${where}: what it holds`);
    }
    const lists = (which: (entity: ModelEntity) => boolean) =>
      new Set(model.entities.filter((one) => one.isInSession && which(one)).map(({ real }) => real));
    assert.deepEqual(
      session.new,
      lists(({ isPending }) => isPending),
      "new",
    );
    assert.deepEqual(
      session.deleted,
      lists(({ isToBeDeleted }) => isToBeDeleted),
      "deleted",
    );
    assert.deepEqual(
      session.dirty,
      lists(({ isPersistent, isToBeDeleted, isChanged }) => isPersistent && !isToBeDeleted && isChanged),
      "dirty",
    );
    assert.deepEqual(
      [session.isActive, session.inNestedTransaction, session.inTransaction],
      [model.isActive, model.depth > 1, model.inTransaction],
      "isActive, inNestedTransaction, inTransaction",
    );
    for (const { real, model: nested } of this.#nested) assert.equal(real.isActive, model.isNestedActive(nested));
    const told = (changes: readonly (readonly [object, string])[]) =>
      changes.map(
        ([entity, operation]) => `${operation} of entity ${model.entities.findIndex(({ real }) => real === entity)}`,
      );
    assert.deepEqual(
      told(this.#told.splice(0)).sort(),
      told(this.#toTell.splice(0).map(([{ real }, operation]) => [real, operation])).sort(),
      "modelsCommitted",
    );
  }

  /** Compares what is stored with the model. */
  async #compareStored(): Promise<void> {
    for (const bind of BINDS) {
      const rows = await this.#witnesses[bind]!.rows();
      assert.deepEqual(
        rows.map((row) => ({ ...row })),
        inOrder(this.#model.committed(bind)),
        `stored on ${BIND_KEYS[bind]}`,
      );
    }
  }

  /** What an entity holds, in the words of the model. */
  #heldBy(real: AnyEntity): Values {
    const named = (value: unknown) =>
      value instanceof KeyReference
        ? new Reference(this.#model.entities.find((entity) => entity.real === value.entity)!)
        : value;
    return Object.fromEntries(Object.entries(real).map(([name, value]) => [name, named(value)]));
  }

  #entity(number: number): ModelEntity | undefined {
    const { entities } = this.#model;
    return entities[number % Math.max(1, entities.length)];
  }

  #make(bind: Bind, { key, value, note, ref, code }: Given): AnyEntity {
    return new (modelOf(bind))({
      ...(key === undefined ? {} : { id: key }),
      value,
      ...(note === undefined ? {} : { note }),
      ...(code === undefined || bind === VERSIONED ? {} : { code }),
      ...(ref === undefined ? {} : { ref: this.#realRef(ref) as number | null }),
    }) as unknown as AnyEntity;
  }

  #held(bind: Bind, { key, value, note, ref, code }: Given): Values {
    const known = {
      id: key,
      value,
      note,
      stamp: undefined,
      ref: ref === undefined ? undefined : this.#modelRef(ref),
      kind: "own",
    };
    return bind === VERSIONED ? { ...known, version: undefined } : { ...known, code };
  }

  #realRef(ref: GivenRef): unknown {
    const to = this.#refTarget(ref);
    return to === undefined ? (typeof ref === "object" ? null : ref) : keyOf(to.real as Entity & { id: number });
  }

  #modelRef(ref: GivenRef): unknown {
    const to = this.#refTarget(ref);
    return to === undefined ? (typeof ref === "object" ? null : ref) : new Reference(to);
  }

  #refTarget(ref: GivenRef): ModelEntity | undefined {
    return typeof ref === "object" && ref !== null ? this.#entity(ref.keyOf) : undefined;
  }
}

function modelOf(bind: Bind): ProgramModel {
  return MODELS[bind] as unknown as ProgramModel;
}

async function attempt<T>(work: () => T | Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await work() };
  } catch (error) {
    return { error };
  }
}

/** Values with each key that is not known yet as the entity that it is of. */
function plain(values: Values): Values {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => {
      if (value instanceof KeyReference) return [name, { of: value.entity }];
      return [name, value instanceof Reference ? { of: value.to.real } : value];
    }),
  );
}

function inOrder(rows: ReadonlyMap<number, Row>): Row[] {
  return [...rows.values()].sort((a, b) => a.id - b.id);
}

function sameRows(found: readonly Row[], rows: ReadonlyMap<number, Row>): boolean {
  return JSON.stringify(found.map(sorted)) === JSON.stringify(inOrder(rows).map(sorted));
}

function sorted(row: Row): [string, unknown][] {
  return Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1));
}
