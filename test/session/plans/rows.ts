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
 * takes the place of another may do so in one step.
 */
export function canBeOrdered(changes: readonly Change[], others: readonly Row[]): boolean {
  const all = 2 ** changes.length - 1;
  const seen = new Set<number>([0]);
  const open = [0];
  const rowsAt = (mask: number) => [
    ...others,
    ...changes.flatMap(({ before, after }, index) => ((mask & (1 << index)) === 0 ? before : after) ?? []),
  ];
  for (let mask = open.pop(); mask !== undefined; mask = open.pop()) {
    if (mask === all) return true;
    for (const step of stepsOf(changes)) {
      const next = mask | step;
      if ((mask & step) !== 0 || seen.has(next) || !areValid(rowsAt(next))) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return false;
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

function stepsOf(changes: readonly Change[]): number[] {
  const single = new Set(changes.map((_, index) => 1 << index));
  const together: number[] = [];
  for (const [index, { before, after }] of changes.entries()) {
    if (before === undefined || after !== undefined) continue;
    const successor = changes.findIndex(
      (other) => other.before === undefined && keyOfRow(other.after!) === keyOfRow(before),
    );
    if (successor < 0) continue;
    together.push((1 << index) | (1 << successor));
    // What others may refer to is never deleted to be inserted again.
    if (before.table === "desk") continue;
    single.delete(1 << index);
    single.delete(1 << successor);
  }
  return [...single, ...together];
}

function part(values: Row["values"], columns: readonly string[]): string | undefined {
  const parts = columns.map((column) => values[column] ?? null);
  return parts.some((value) => value === null) ? undefined : JSON.stringify(parts);
}
