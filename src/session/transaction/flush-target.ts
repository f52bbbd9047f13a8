import type { Connection } from "../../engine/connection.ts";
import type { Engine } from "../../engine/engine.ts";
import { UndoLog } from "./undo-log.ts";

/** Where rows of one bind are stored: in a transaction of that bind, or by one statement that is a whole transaction. */
export interface FlushTarget {
  readonly engine: Engine;
  readonly connection: Connection;
  /** Changes to entities. */
  readonly undo: UndoLog;
  /** Notes that a statement has failed. */
  fail(error: unknown): void;
}

/** The place of a statement that is a whole transaction: it happens as a whole or not at all. */
export class WholeStatement implements FlushTarget {
  readonly engine: Engine;
  readonly connection: Connection;
  readonly undo = new UndoLog();

  constructor(connection: Connection) {
    this.engine = connection.engine;
    this.connection = connection;
  }

  fail(): void {}
}
