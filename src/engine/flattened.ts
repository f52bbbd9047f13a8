/** The values of rows of one length, one after the other. */
export function flattened(rows: readonly (readonly unknown[])[]): unknown[] {
  const values = new Array<unknown>(rows.length * rows[0]!.length);
  let place = 0;
  for (const row of rows) for (let index = 0; index < row.length; index++) values[place++] = row[index];
  return values;
}
