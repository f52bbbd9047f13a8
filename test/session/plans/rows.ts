/** A row of one of three tables, as it is or as it has to be. */
export interface Row {
  readonly table: "item" | "owner" | "desk";
  readonly values: Readonly<Record<string, number | string | null>>;
}

/** What happens to one row: it comes, changes or goes. */
export interface Change {
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

interface Constraints {
  readonly key: readonly string[];
  readonly uniques: readonly (readonly string[])[];
  readonly references: readonly {
    readonly columns: readonly string[];
    readonly table: Row["table"];
    readonly targets: readonly string[];
  }[];
}

const CONSTRAINTS: Readonly<Record<Row["table"], Constraints>> = {
  item: {
    key: ["list", "thing"],
    uniques: [["list", "place"], ["tag"]],
    references: [{ columns: ["list", "parent"], table: "item", targets: ["list", "thing"] }],
  },
  owner: { key: ["id"], uniques: [["code"]], references: [] },
  desk: {
    key: ["id"],
    uniques: [["spare"]],
    references: [
      { columns: ["code"], table: "owner", targets: ["code"] },
      { columns: ["spare"], table: "owner", targets: ["code"] },
    ],
  },
};

/** The key of a row, to be compared. */
export function keyOfRow({ table, values }: Row): string {
  return `${table} ${part(values, CONSTRAINTS[table].key)}`;
}

/** A row, to be compared. */
export function textOf({ table, values }: Row): string {
  return `${table} ${JSON.stringify(Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
}

/** Whether a database accepts these rows. */
export function areValid(rows: readonly Row[]): boolean {
  const seen = new Set<string>();
  for (const row of rows) {
    const { key, uniques } = CONSTRAINTS[row.table];
    for (const columns of [key, ...uniques]) {
      const value = part(row.values, columns);
      const name = `${row.table} ${columns.join()} ${value}`;
      if (value !== undefined && seen.has(name)) return false;
      seen.add(name);
    }
  }
  return rows.every(({ table, values }) =>
    CONSTRAINTS[table].references.every(({ columns, table: target, targets }) => {
      const value = part(values, columns);
      return value === undefined || rows.some((row) => row.table === target && part(row.values, targets) === value);
    }),
  );
}

/** Rows that a database accepts together: the first ones of those given. */
export function acceptable(rows: readonly Row[]): Row[] {
  let kept: Row[] = [];
  const [wanted, left] = [[...rows], [] as Row[]];
  // What a row refers to may come after it.
  for (let round = 0; round < rows.length; round++) {
    for (const row of wanted.splice(0)) {
      if (areValid([...kept, row])) kept = [...kept, row];
      else left.push(row);
    }
    wanted.push(...left.splice(0));
  }
  return kept;
}

/**
 * Whether the changes can be made one by one in some order, so that a database accepts the rows after each. A row that
 * takes the place of another does so in one step, or in two where no other refers to its table.
 *
 * @param nulls whether rows may also have nulls in between, where their columns may be null
 */
export function canBeOrdered(changes: readonly Change[], nulls: boolean): boolean {
  return takeOvers(changes).some((one) => isReachable(one.map((change) => stagesOf(change, nulls))));
}

/** The states that a row goes through, perhaps leaving some out. */
function stagesOf({ before, after }: Change, nulls: boolean): readonly (Row | undefined)[] {
  // What does not change is not written.
  if (before !== undefined && after !== undefined && textOf(before) === textOf(after)) return [before];
  return nulls ? [before, ...withNulls(before), ...withNulls(after), after] : [before, after];
}

function withNulls(row: Row | undefined): Row[] {
  const nullable = NULLABLE.filter((column) => (row?.values[column] ?? null) !== null);
  const subsets = [...new Array(2 ** nullable.length).keys()].map((bits) =>
    nullable.filter((_, index) => (bits & (1 << index)) !== 0),
  );
  return subsets.slice(1).map((columns) => ({
    table: row!.table,
    values: { ...row!.values, ...Object.fromEntries(columns.map((column) => [column, null])) },
  }));
}

const NULLABLE = ["tag", "parent", "spare"];

/** Whether all rows get to their last stages, one step of one row at a time. */
function isReachable(stages: readonly (readonly (Row | undefined)[])[]): boolean {
  const goal = stages.map(({ length }) => length - 1).join();
  const seen = new Set<string>();
  const open = [stages.map(() => 0)];
  for (let state = open.pop(); state !== undefined; state = open.pop()) {
    if (state.join() === goal) return true;
    for (const [index, own] of stages.entries()) {
      for (let stage = state[index]! + 1; stage < own.length; stage++) {
        const next = state.with(index, stage);
        if (seen.has(next.join())) continue;
        seen.add(next.join());
        if (areValid(next.flatMap((at, place) => stages[place]![at] ?? []))) open.push(next);
      }
    }
  }
  return false;
}

/** The changes with rows that take the place of others as one change, and without where that may be, too. */
function takeOvers(changes: readonly Change[]): Change[][] {
  for (const one of changes) {
    if (one.before === undefined || one.after !== undefined) continue;
    const key = keyOfRow(one.before);
    const other = changes.find(({ before, after }) => before === undefined && keyOfRow(after!) === key);
    if (other === undefined) continue;
    const others = changes.filter((change) => change !== one && change !== other);
    const merged = takeOvers([...others, { before: one.before, after: other.after }]);
    if (one.before.table !== "desk") return merged;
    return [...merged, ...takeOvers(others).map((rest) => [...rest, one, other])];
  }
  return [[...changes]];
}

/**
 * Whether a row that does not change refers to a value that goes from one row to another: the session knows of no reason to
 * write it.
 */
export function leavesBehind(changes: readonly Change[]): boolean {
  const unchanged = changes.flatMap(({ before, after }) =>
    before !== undefined && after !== undefined && textOf(before) === textOf(after) ? before : [],
  );
  return unchanged.some(({ table, values }) =>
    CONSTRAINTS[table].references.some(({ columns, table: target, targets }) => {
      const value = part(values, columns);
      const has = (row: Row | undefined) => row?.table === target && part(row.values, targets) === value;
      return value !== undefined && changes.some(({ before, after }) => has(before) && !has(after));
    }),
  );
}

function part(values: Row["values"], columns: readonly string[]): string | undefined {
  const parts = columns.map((column) => values[column] ?? null);
  return parts.some((value) => value === null) ? undefined : JSON.stringify(parts);
}
