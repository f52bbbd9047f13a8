import type { BindKey } from "../bind-key.ts";
import { MultibindError } from "./multibind-error.ts";

/** Facts about a relation that an error is about. */
export interface RelationErrorOptions extends ErrorOptions {
  /** The relation's name. */
  readonly relation: string;
  /** The class that has the relation. */
  readonly entity: string;
  /** The bind of that class. */
  readonly bindKey: BindKey;
}

/** A relation was declared, read or written in a way that it does not allow. */
export class RelationError extends MultibindError {
  readonly code: string = "RELATION";
  /** The relation's name. */
  readonly relation: string;
  /** The name of the class that has the relation. */
  readonly entity: string;

  constructor(message: string, options: RelationErrorOptions) {
    super(message, options);
    this.relation = options.relation;
    this.entity = options.entity;
  }
}

/**
 * A relation was read that is not loaded. Reading a property never asks the database: include the relation in the statement, or
 * load it with `session.load`.
 *
 * @see SQLAlchemy: `lazy="raise_on_sql"`
 */
export class NotLoadedError extends RelationError {
  override readonly code = "NOT_LOADED";
}

/** A relation was read whose column holds a key that no row has. Between databases no foreign key prevents that. */
export class DanglingReferenceError extends RelationError {
  override readonly code = "DANGLING_REFERENCE";
}

/** Facts about a filter over two binds. */
export interface CrossBindFilterErrorOptions extends RelationErrorOptions {
  /** The bound that was exceeded; undefined where none was given. */
  readonly maxKeys: number | undefined;
  /** The bind of the rows to filter by. */
  readonly targetBindKey: BindKey;
}

/**
 * A filter by a relation of another bind has no bound, or more keys match than its bound allows. Nothing was read but keys.
 */
export class CrossBindFilterError extends RelationError {
  override readonly code = "CROSS_BIND_FILTER";
  /** The bound that was exceeded; undefined where none was given. */
  readonly maxKeys: number | undefined;
  /** The bind of the rows to filter by; `bindKey` is that of the select. */
  readonly targetBindKey: BindKey;

  constructor(message: string, options: CrossBindFilterErrorOptions) {
    super(message, options);
    this.maxKeys = options.maxKeys;
    this.targetBindKey = options.targetBindKey;
  }
}

/**
 * One line of the application loaded a relation of one entity after the other, so that each took a statement of its own.
 * Thrown only if the setting `nPlusOne` says so.
 */
export class NPlusOneError extends RelationError {
  override readonly code = "N_PLUS_ONE";
  /** The line, as `file:line:column`. */
  readonly location: string;

  constructor(message: string, options: RelationErrorOptions & { readonly location: string }) {
    super(message, options);
    this.location = options.location;
  }
}
