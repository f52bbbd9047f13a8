import { type Filled, ModelEntity, Reference, type Row, type Values } from "./model-entity.ts";
import type { Bind } from "./operations.ts";

export const BINDS: readonly Bind[] = [0, 1, 2];

/** The bind whose rows count their versions. */
export const VERSIONED: Bind = 1;

/** The binds whose rows have a unique value. */
export const CODED: readonly Bind[] = [0, 2];

/** The names of the errors that an operation may end in; none if it has to succeed. */
export type Expected = readonly string[];

const SUCCESS: Expected = [];
const REFUSED: Expected = ["SessionError"];
const FAILED: Expected = ["FailedTransactionError"];

type Rows = Map<number, Row>;

/** A nested transaction. */
export interface ModelNested {
  readonly depth: number;
  readonly generation: number;
  hasEnded: boolean;
}

/** What a flush does: entities to be inserted, updated and deleted. */
interface Plan {
  readonly added: readonly ModelEntity[];
  readonly changed: readonly ModelEntity[];
  readonly deleted: readonly ModelEntity[];
}

/** A change that was committed, as `modelsCommitted` tells it. */
export type ModelChange = readonly [entity: ModelEntity, operation: "insert" | "update" | "delete"];

/** What a session does, in memory: the entities, the rows as the session sees them, and what is stored for good. */
export class SessionModel {
  readonly entities: ModelEntity[] = [];
  /** The rows as the session sees them. */
  #rows: Rows[] = BINDS.map(() => new Map());
  /** For each level of transactions the rows when it began; those of the first are what is stored for good. */
  #before: Rows[][] = [BINDS.map(() => new Map())];
  /** The binds with a transaction. */
  readonly #open = new Set<Bind>();
  #isExplicit = false;
  #hasFailed = false;
  #generation = 0;
  readonly #functions: ("outermost" | "nested")[] = [];

  get depth(): number {
    return this.#before.length;
  }

  /** Whether nothing has failed that was not rolled back. */
  get isActive(): boolean {
    return !this.#hasFailed;
  }

  get inTransaction(): boolean {
    return this.#isExplicit || this.depth > 1 || this.#open.size > 0 || this.#hasFailed;
  }

  /** The binds with a transaction, as far as the model knows. */
  get open(): readonly Bind[] {
    return [...this.#open];
  }

  /** What is stored for good. */
  committed(bind: Bind): ReadonlyMap<number, Row> {
    return this.#before[0]![bind]!;
  }

  /** What the session sees. */
  visible(bind: Bind): ReadonlyMap<number, Row> {
    return this.#rows[bind]!;
  }

  /** Whether others can write on a bind: the session holds nothing there. */
  isFree(bind: Bind): boolean {
    return !this.#open.has(bind);
  }

  new(bind: Bind, real: object, held: Values): ModelEntity {
    const entity = new ModelEntity(bind, real, held);
    entity.saveFor(this.depth);
    this.entities.push(entity);
    return entity;
  }

  add(entity: ModelEntity): Expected {
    if (entity.isInSession) {
      if (entity.gone !== undefined) return REFUSED;
      entity.isToBeDeleted = false;
      return SUCCESS;
    }
    if (entity.isDeleted) return REFUSED;
    if (entity.row !== null) return this.#attach(entity);
    entity.isInSession = entity.isPending = true;
    entity.filled.clear();
    if (entity.held["stamp"] === undefined) entity.fill("stamp", 7);
    return SUCCESS;
  }

  delete(entity: ModelEntity): Expected {
    if (entity.isPending || entity.row === null || entity.isDeleted) return REFUSED;
    if (!entity.isInSession && this.#attach(entity).length > 0) return REFUSED;
    if (entity.gone === undefined) entity.isToBeDeleted = true;
    return SUCCESS;
  }

  expunge(entity: ModelEntity): Expected {
    if (!entity.isInSession) return REFUSED;
    if (entity.isPending) entity.filled.clear();
    if (entity.gone !== undefined) entity.isDeleted = true;
    entity.leave();
    return SUCCESS;
  }

  expungeAll(): Expected {
    for (const entity of this.entities) if (entity.isInSession) this.expunge(entity);
    return SUCCESS;
  }

  /** Sets a property, whatever the entity's state. */
  change(entity: ModelEntity, values: Values): Expected {
    Object.assign(entity.held, values);
    return SUCCESS;
  }

  /** @param found the entity that came, for a row that no entity stands for yet */
  get(bind: Bind, key: number, lock: boolean, found: object | null): readonly [Expected, ModelEntity | null] {
    const known = this.#identity(bind, key);
    if (known !== undefined && !lock && !known.isStale) return [SUCCESS, known];
    const failure = this.#statement(bind, lock);
    if (failure.length > 0) return [failure, null];
    const there = this.#identity(bind, key);
    if (lock && there !== undefined) there.isStale = true;
    const row = this.visible(bind).get(key);
    if (row === undefined) {
      if (there?.isStale === true) this.expunge(there);
      return [SUCCESS, null];
    }
    return [SUCCESS, this.#load(bind, row, () => found!)];
  }

  /** @param found the entities that came, by their keys */
  query(bind: Bind, found: ReadonlyMap<number, object>): readonly [Expected, readonly ModelEntity[]] {
    const failure = this.#statement(bind, false);
    if (failure.length > 0) return [failure, []];
    const rows = [...this.visible(bind).values()].sort((a, b) => a.id - b.id);
    return [SUCCESS, rows.map((row) => this.#load(bind, row, () => found.get(row.id)!))];
  }

  refresh(entity: ModelEntity): Expected {
    if (!entity.isPersistent) return REFUSED;
    entity.revert();
    const failure = this.#statement(entity.bind, false);
    if (failure.length > 0) return failure;
    const row = this.visible(entity.bind).get(entity.row!.id);
    if (row === undefined || !entity.isPersistent) return REFUSED;
    this.#refill(entity, row, true);
    return SUCCESS;
  }

  /** @param found the entity that came, where it is a new one */
  merge(
    bind: Bind,
    from: ModelEntity | undefined,
    held: Values,
    found: object | undefined,
  ): readonly [Expected, ModelEntity | null] {
    if (from?.isInSession === true) return [SUCCESS, from];
    if (held["kind"] !== undefined && held["kind"] !== "own") return [["InvalidValueError"], null];
    const values = Object.fromEntries(Object.entries(held).filter(([, value]) => value !== undefined));
    const { id: key } = values;
    if (typeof key === "number") {
      const pending = this.entities.find((one) => one.isPending && one.bind === bind && one.held["id"] === key);
      const [failure, target] = pending === undefined ? this.get(bind, key, false, found ?? null) : [SUCCESS, pending];
      if (failure.length > 0) return [failure, null];
      if (target !== null) {
        const { version } = values;
        if (target.row?.version !== undefined && version !== undefined && version !== target.row.version) {
          return [["StaleDataError"], null];
        }
        Object.assign(target.held, values);
        return [SUCCESS, target];
      }
    }
    if (found === undefined) return [SUCCESS, null];
    const made = this.new(bind, found, values);
    this.add(made);
    return [SUCCESS, made];
  }

  /** A statement of SQL that writes rows, with a new value or none to delete them. */
  write(bind: Bind, key: number, value: number | undefined): Expected {
    const failure = this.#statement(bind, true);
    if (failure.length > 0) return failure;
    this.#set(this.#rows[bind]!, key, value);
    for (const entity of this.entities) if (entity.bind === bind && entity.isPersistent) entity.isStale = true;
    return SUCCESS;
  }

  /** A bulk update of the rows with a value, which the entities of these rows show. */
  bulkUpdate(bind: Bind, value: number, note: string | null): Expected {
    const failure = this.#statement(bind, true);
    if (failure.length > 0) return failure;
    for (const row of [...this.visible(bind).values()].filter((one) => one.value === value)) {
      const version = row.version === undefined ? {} : { version: row.version + 1 };
      this.#rows[bind]!.set(row.id, { ...row, note, ...version });
      const entity = this.#identity(bind, row.id);
      if (entity === undefined) continue;
      if (entity.held["note"] === entity.row!.note) entity.held["note"] = note;
      entity.row = { ...entity.row!, note };
    }
    for (const entity of this.entities) if (entity.bind === bind && entity.isPersistent) entity.isStale = true;
    return SUCCESS;
  }

  /** The same by somebody else, for good. */
  writeByOthers(bind: Bind, key: number, value: number | undefined): void {
    for (const rows of [this.#rows, ...this.#before]) this.#set(rows[bind]!, key, value);
  }

  flush(bind?: Bind): Expected {
    const plan = this.#plan(bind);
    if (plan.added.length + plan.changed.length + plan.deleted.length === 0) return SUCCESS;
    if (this.#hasFailed) return FAILED;
    const refusals = [...(this.#lacksKeys(plan) ? REFUSED : []), ...(changesClass(plan) ? ["InvalidValueError"] : [])];
    if (refusals.length > 0) return refusals;
    const failures = this.#failures(plan);
    for (const { bind: one } of [...plan.added, ...plan.changed, ...plan.deleted]) this.#open.add(one);
    if (failures.size === 0) this.#store(plan);
    else this.#fail();
    return [...failures];
  }

  /** @param changes is given what was committed */
  commit(changes: (changes: readonly ModelChange[]) => void = () => {}): Expected {
    if (this.#functions.length > 0) return REFUSED;
    return this.#commit(changes);
  }

  #commit(changes: (changes: readonly ModelChange[]) => void): Expected {
    if (this.#hasFailed) return FAILED;
    const failure = this.flush();
    if (failure.length > 0) return failure;
    changes(BINDS.flatMap((bind) => this.keep(bind)));
    this.#end();
    return SUCCESS;
  }

  /** Makes what was done on a bind stand for good. Returns what that was. */
  keep(bind: Bind): ModelChange[] {
    this.#before[0]![bind] = new Map(this.#rows[bind]);
    const changes: ModelChange[] = [];
    for (const entity of this.entities.filter((one) => one.bind === bind)) {
      const { born, updated, gone } = entity;
      if (gone !== undefined) {
        if (born === undefined) changes.push([entity, "delete"]);
        entity.isDeleted = true;
        entity.leave();
      } else if (born !== undefined) {
        changes.push([entity, "insert"]);
      } else if (updated !== undefined) {
        changes.push([entity, "update"]);
      }
      entity.born = entity.updated = entity.gone = undefined;
      entity.filled.clear();
      entity.saveFor(1);
    }
    return changes;
  }

  rollback(): Expected {
    if (this.#functions.length > 0) return REFUSED;
    this.#rollbackAll();
    this.#isExplicit = false;
    this.#hasFailed = false;
    return SUCCESS;
  }

  reset(): Expected {
    if (this.#functions.length > 0) return REFUSED;
    this.rollback();
    return this.expungeAll();
  }

  begin(): Expected {
    if (this.#functions.length > 0 || this.#isExplicit || this.depth > 1 || this.#open.size > 0) return REFUSED;
    if (this.#hasFailed) return FAILED;
    this.#isExplicit = true;
    return SUCCESS;
  }

  beginNested(): readonly [Expected, ModelNested | undefined] {
    const failure = this.flush();
    if (failure.length > 0) return [failure, undefined];
    if (this.#hasFailed) return [FAILED, undefined];
    this.#before.push(this.#rows.map((rows) => new Map(rows)));
    for (const entity of this.entities) entity.saveForOneMore();
    return [SUCCESS, { depth: this.depth, generation: this.#generation, hasEnded: false }];
  }

  isNestedActive({ depth, generation, hasEnded }: ModelNested): boolean {
    return !hasEnded && generation === this.#generation && this.depth >= depth;
  }

  commitNested(nested: ModelNested): Expected {
    if (!this.isNestedActive(nested)) return REFUSED;
    const failure = this.flush();
    if (failure.length > 0) return failure;
    if (this.#hasFailed) return FAILED;
    const level = nested.depth - 1;
    this.#before.length = level;
    for (const entity of this.entities) {
      entity.saved.length = level;
      const around = (at: number | undefined) => (at === undefined ? undefined : Math.min(at, level - 1));
      entity.born = around(entity.born);
      entity.updated = around(entity.updated);
      entity.gone = around(entity.gone);
    }
    nested.hasEnded = true;
    return SUCCESS;
  }

  rollbackNested(nested: ModelNested): Expected {
    if (!this.isNestedActive(nested)) return REFUSED;
    nested.hasEnded = true;
    this.#hasFailed = false;
    this.#undo(nested.depth - 1);
    this.#before.length = nested.depth - 1;
    for (const entity of this.entities) entity.saved.length = nested.depth - 1;
    return SUCCESS;
  }

  /** A function begins in a transaction, or in a nested one. */
  beginFunction(): readonly [Expected, ModelNested | undefined] {
    if (this.#functions.length > 0) {
      const [failure, nested] = this.beginNested();
      if (failure.length === 0) this.#functions.push("nested");
      return [failure, nested];
    }
    const failure = this.begin();
    if (failure.length === 0) this.#functions.push("outermost");
    return [failure, undefined];
  }

  /** The pending work, to be restored after a rollback before the function runs again. */
  copyPending(): () => void {
    const pending = this.entities
      .filter((one) => one.isPending || one.isToBeDeleted || (one.isPersistent && one.isChanged))
      .map((entity) => ({
        entity,
        held: { ...entity.held },
        filled: new Map(entity.filled),
        isPending: entity.isPending,
        isToBeDeleted: entity.isToBeDeleted,
      }));
    return () => {
      for (const { entity, held, filled, isPending, isToBeDeleted } of pending) {
        // One that has left meanwhile comes back.
        if (!entity.isInSession) entity.isStale = !isPending;
        entity.isInSession = true;
        entity.isPending = isPending;
        entity.isToBeDeleted = isToBeDeleted;
        entity.held = held;
        entity.filled = filled;
      }
    };
  }

  /** The function has failed in a way after which it is run again. */
  retryFunction(restore: () => void): void {
    this.#functions.pop();
    this.rollback();
    restore();
  }

  /** @returns the errors that it may end in beside those that its code throws */
  endFunction(
    nested: ModelNested | undefined,
    throws: boolean,
    changes: (changes: readonly ModelChange[]) => void,
  ): Expected {
    this.#functions.pop();
    if (nested === undefined) {
      const failure = throws ? SUCCESS : this.#commit(changes);
      if (throws || failure.length > 0) this.rollback();
      return failure;
    }
    const failure = throws ? SUCCESS : this.commitNested(nested);
    if ((throws || failure.length > 0) && this.isNestedActive(nested)) this.rollbackNested(nested);
    return failure;
  }

  /** Every function has ended, by an error. */
  abandonFunctions(): void {
    this.#functions.length = 0;
  }

  /** A bind's connection was lost in its commit: the session lets go of what it has touched there. */
  letGo(bind: Bind): void {
    for (const entity of this.entities.filter((one) => one.bind === bind)) {
      const isTouched = entity.born !== undefined || entity.updated !== undefined || entity.gone !== undefined;
      if (entity.isInSession && isTouched) this.expunge(entity);
      entity.born = entity.updated = entity.gone = undefined;
      entity.saveFor(1);
    }
  }

  #attach(entity: ModelEntity): Expected {
    if (this.#identity(entity.bind, entity.row!.id) !== undefined) return REFUSED;
    entity.isInSession = entity.isStale = true;
    return SUCCESS;
  }

  #identity(bind: Bind, key: number): ModelEntity | undefined {
    return this.entities.find((one) => one.bind === bind && one.isPersistent && one.row!.id === key);
  }

  /** A statement on a bind flushes what is pending there, and begins a transaction if it has to. */
  #statement(bind: Bind, writes: boolean): Expected {
    const failure = this.flush(bind);
    if (failure.length > 0) return failure;
    if (this.#hasFailed) return FAILED;
    if (writes || this.#isExplicit || this.depth > 1) this.#open.add(bind);
    return SUCCESS;
  }

  #load(bind: Bind, row: Row, found: () => object): ModelEntity {
    const known = this.#identity(bind, row.id);
    if (known === undefined) {
      const entity = this.new(bind, found(), { ...row });
      entity.row = row;
      entity.isInSession = true;
      entity.saveFor(this.depth);
      return entity;
    }
    if (known.isStale) this.#refill(known, row, false);
    return known;
  }

  #refill(entity: ModelEntity, row: Row, overwrite: boolean): void {
    for (const [name, value] of Object.entries(row)) {
      if (overwrite || entity.held[name] === entity.row![name as keyof Row]) entity.held[name] = value;
    }
    entity.row = row;
    entity.isStale = false;
    if (!this.#open.has(entity.bind)) entity.saveFor(1);
  }

  #set(rows: Rows, key: number, value: number | undefined): void {
    const row = rows.get(key);
    if (row === undefined) return;
    if (value === undefined) rows.delete(key);
    else rows.set(key, { ...row, value });
  }

  /** What is to be stored: of one bind with those of others whose keys that needs. */
  #plan(bind: Bind | undefined): Plan {
    const here = (entity: ModelEntity) => bind === undefined || entity.bind === bind;
    const changed = this.entities.filter((one) => here(one) && one.isPersistent && !one.isToBeDeleted && one.isChanged);
    const pending = this.entities.filter((one) => one.isPending);
    const added = new Set(pending.filter(here));
    const deleted = this.entities.filter((one) => here(one) && one.isToBeDeleted);
    if (changed.length + added.size + deleted.length === 0) return { added: [], changed: [], deleted: [] };
    for (const entity of [...changed, ...added]) this.#await(entity, added);
    for (const entity of added) this.#await(entity, added);
    const binds = new Set([...added].map((one) => one.bind));
    return {
      added: pending.filter((one) => added.has(one)),
      changed,
      deleted: this.entities.filter((one) => (here(one) || binds.has(one.bind)) && one.isToBeDeleted),
    };
  }

  #await({ held: { ref } }: ModelEntity, added: Set<ModelEntity>): void {
    if (ref instanceof Reference && ref.to.isPending) added.add(ref.to);
  }

  /** Whether something is to be the key of an entity that has none and gets none. */
  #lacksKeys({ added, changed }: Plan): boolean {
    return [...added, ...changed].some(({ held: { ref } }) => {
      if (!(ref instanceof Reference) || added.includes(ref.to)) return false;
      return ref.to.row === null || ref.to.isDeleted;
    });
  }

  #failures({ added, changed, deleted }: Plan): Set<string> {
    const failures = new Set<string>();
    for (const bind of BINDS) {
      const rows = this.visible(bind);
      const going = new Map(deleted.filter((one) => one.bind === bind).map((one) => [one.row!.id, one]));
      const isStored = ({ row }: ModelEntity) => rows.get(row!.id)?.version === row!.version && rows.has(row!.id);
      for (const one of [...changed.filter((other) => other.bind === bind), ...going.values()]) {
        if (!isStored(one)) failures.add("StaleDataError");
      }
      if (this.#repeatsCode(bind, { added, changed, deleted })) failures.add("UniqueViolationError");
      const taken = new Set([...rows.keys()].filter((key) => !going.has(key)));
      for (const { held } of added.filter((one) => one.bind === bind)) {
        const { id } = held;
        if (typeof id !== "number") continue;
        if (taken.has(id)) failures.add("UniqueViolationError");
        taken.add(id);
      }
    }
    return failures;
  }

  /** Whether two rows would have one unique value. */
  #repeatsCode(bind: Bind, { added, changed, deleted }: Plan): boolean {
    const here = (entities: readonly ModelEntity[]) => entities.filter((one) => one.bind === bind);
    const written = new Set([...here(changed), ...here(deleted)].map(({ row }) => row!.id));
    const kept = [...this.visible(bind).values()].filter(({ id }) => !written.has(id)).map(({ code }) => code);
    const set = here(changed).map((one) =>
      one.held["code"] === one.row!.code ? this.visible(bind).get(one.row!.id)?.code : one.held["code"],
    );
    const codes = [...kept, ...set, ...here(added).map(({ held }) => held["code"])].filter((code) => code != null);
    return new Set(codes).size < codes.length;
  }

  #store({ added, changed, deleted }: Plan): void {
    const level = this.depth - 1;
    const taken = new Map<ModelEntity, Row>();
    for (const entity of deleted) {
      const rows = this.#rows[entity.bind]!;
      const row = rows.get(entity.row!.id)!;
      const next = added.find((one) => one.bind === entity.bind && one.held["id"] === row.id);
      if (next !== undefined) taken.set(next, row);
      rows.delete(row.id);
      entity.gone = level;
      entity.isToBeDeleted = false;
    }
    for (const entity of added) {
      entity.lastKey = (entity.held["id"] as number | undefined) ?? generatedKey(entity, this.visible(entity.bind));
    }
    const keyed = (ref: unknown) =>
      ref instanceof Reference
        ? added.includes(ref.to)
          ? ref.to.lastKey!
          : ref.to.row!.id
        : ((ref ?? null) as number | null);
    for (const entity of added) this.#insert(entity, level, keyed(entity.held["ref"]), taken.get(entity));
    for (const entity of changed) this.#update(entity, level, keyed(entity.held["ref"]));
  }

  #insert(entity: ModelEntity, level: number, ref: number | null, replaced: Row | undefined): void {
    const { held, bind } = entity;
    const id = entity.lastKey!;
    const version = replaced === undefined ? ((held["version"] as number | undefined) ?? 1) : replaced.version! + 1;
    const row: Row = {
      id,
      value: held["value"] as number,
      note: (held["note"] as string | null | undefined) ?? null,
      stamp: held["stamp"] as number,
      ref,
      kind: "own",
      ...(CODED.includes(bind) ? { code: (held["code"] as number | null | undefined) ?? null } : {}),
      ...(bind === VERSIONED ? { version } : {}),
    };
    const other = this.#identity(bind, id);
    if (other !== undefined) this.expunge(other);
    this.#rows[bind]!.set(id, row);
    entity.row = row;
    entity.isPending = false;
    entity.isStale = false;
    entity.born = level;
    for (const [name, value] of Object.entries(row)) entity.fill(name, value);
  }

  #update(entity: ModelEntity, level: number, ref: number | null): void {
    const { held, bind } = entity;
    const stored = this.visible(bind).get(entity.row!.id)!;
    const known: Row = {
      ...(held as unknown as Row),
      ref,
      ...(bind === VERSIONED ? { version: stored.version! + 1 } : {}),
    };
    const changed = Object.entries(known).filter(([name, value]) => value !== entity.row![name as keyof Row]);
    this.#rows[bind]!.set(known.id, { ...stored, ...Object.fromEntries(changed) });
    entity.row = known;
    entity.updated ??= level;
    for (const [name, value] of Object.entries(known)) entity.fill(name, value);
  }

  /** A flush has failed: what the innermost transaction did is undone, and the session waits for its rollback. */
  #fail(): void {
    this.#hasFailed = true;
    if (this.depth > 1) this.#undo(this.depth - 1);
    else this.#rollbackAll();
  }

  #rollbackAll(): void {
    this.#undo(0);
    const isExplicit = this.#isExplicit;
    this.#end();
    this.#isExplicit = isExplicit;
  }

  /** Undoes what was done in a level and those within it. */
  #undo(level: number): void {
    for (const bind of BINDS) this.undoOn(bind, level);
  }

  /** The same on one bind. */
  undoOn(bind: Bind, level = 0): void {
    this.#rows[bind] = new Map(this.#before[level]![bind]);
    this.#makeRoom(bind, level);
    for (const entity of this.entities.filter((one) => one.bind === bind)) {
      if ((entity.gone ?? -1) >= level) {
        entity.gone = undefined;
        entity.isDeleted = false;
      }
      if (entity.isPending || (entity.born ?? -1) >= level) {
        entity.leave();
        entity.row = null;
        entity.takeBack();
        entity.born = entity.updated = entity.gone = undefined;
        continue;
      }
      const { row, filled } = entity.saved[level]!;
      if ((entity.updated ?? -1) >= level) entity.updated = undefined;
      entity.row = row;
      entity.filled = new Map<string, Filled>(filled);
      entity.isToBeDeleted = false;
      if (!entity.isPersistent) continue;
      entity.revert();
      entity.isStale = true;
    }
  }

  /** Of entities whose deletion is undone, those that stand for the same rows meanwhile leave. */
  #makeRoom(bind: Bind, level: number): void {
    const returning = this.entities.filter(
      (one) => one.bind === bind && one.isInSession && (one.gone ?? -1) >= level && (one.born ?? -1) < level,
    );
    for (const { row } of returning) this.#identity(bind, row!.id)?.leave();
  }

  /** The transaction has ended: what was read before is stale. */
  #end(): void {
    this.#generation++;
    this.#before.length = 1;
    this.#open.clear();
    this.#isExplicit = false;
    for (const entity of this.entities) {
      entity.saveFor(1);
      if (entity.isInSession) entity.isStale = true;
    }
  }
}

/** Whether entities say that their rows are of another class. */
function changesClass({ added, changed }: Plan): boolean {
  return [...added, ...changed].some(({ held: { kind } }) => kind !== "own");
}

function generatedKey({ lastKey }: ModelEntity, rows: ReadonlyMap<number, Row>): number {
  if (lastKey === undefined || rows.has(lastKey)) throw new Error(`The generated key is ${lastKey}.`);
  return lastKey;
}
