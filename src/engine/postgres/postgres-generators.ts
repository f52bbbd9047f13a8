import type { AnyTable } from "../../schema/table.ts";
import type { TableColumn } from "../../schema/table-column.ts";
import { quotedTable } from "./postgres-columnwise.ts";

/** Values are passed one by one as far as this: beside others who take values at the same time, nothing goes back. */
const MOST_PASSED = 1000;

/**
 * A sequence does not see values that are given, and would give them again. It is moved on to the greatest, unless it is
 * there by now, has no more values after it, or is not to be used by this user.
 */
export function advancePostgresGenerator(table: AnyTable, { name }: TableColumn): string {
  return `select case
    when "gap" <= 0 then null
    when "gap" <= ${MOST_PASSED} then (
      select max("value") from (select nextval("sequence") as "value" from generate_series(1, "gap")) as "passed"
    )
    when has_sequence_privilege("sequence", 'UPDATE') then setval("sequence", $1::bigint)
  end
  from (
    select seqrelid::regclass as "sequence", div(
      $1::bigint - coalesce(pg_sequence_last_value(seqrelid), seqstart - seqincrement) + seqincrement - 1, seqincrement
    )::bigint as "gap"
    from pg_sequence
    where seqrelid = pg_get_serial_sequence(${literal(quotedTable(table))}, ${literal(name)})::regclass
      and seqincrement > 0 and $1::bigint between seqmin and seqmax - 1 and has_sequence_privilege(seqrelid, 'USAGE')
  ) as "generator"`;
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
