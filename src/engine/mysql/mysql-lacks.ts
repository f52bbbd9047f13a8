import type { ServerLacks } from "../driver.ts";
import type { Feature } from "../statement/feature.ts";
import type { KnownWords } from "../statement/used-features.ts";

const FOREIGN_OPERATORS = [
  "^@",
  "!<",
  "!>",
  "!~",
  "~",
  "~*",
  "!~*",
  "@@",
  "@@@",
  "!!",
  "<->",
  "@>",
  "<@",
  "?",
  "?&",
  "?|",
];

/** What MySQL and MariaDB both lack. */
export const mysqlLacks: ReadonlySet<Feature> = new Set<Feature>([
  ...(["mergeInto", "onConflict", "insert or …", "defaultValues", "distinctOn", "top", "output"] as const),
  ...(["offset without limit", "nullsFirst and nullsLast", "filterWhere", "countAll of a table"] as const),
  ...(["orderBy in this aggregate function", "withinGroup", "fn.jsonAgg and fn.toJson", "fn.any of a list"] as const),
  ...(["a full join", "crossApply and outerApply", "update … from", "a join in a delete"] as const),
  ...(["materialized and notMaterialized", "a write in a common table expression"] as const),
  ...(["locks of keys alone", "skipLocked and noWait without a lock", "-> with keys", "casts to this type"] as const),
  ...(["between symmetric", "ilike", "||", "#", "==", "match", "operators of this name"] as const),
]);

/** What MariaDB lacks and MySQL has. */
export const mariadbLacks: ReadonlySet<Feature> = new Set<Feature>([
  ...(["a lateral join", "with before an update or delete", "an alias of the table to delete from"] as const),
  ...(["row locks of chosen tables", "forShare with skipLocked or noWait", "-> and ->>"] as const),
]);

/** What MySQL lacks and MariaDB has. */
export const mysqlItselfLacks: ReadonlySet<Feature> = new Set<Feature>(["fetch"]);

/** The two servers. */
export const MARIADB: ServerLacks = { server: "MariaDB", features: mariadbLacks };
export const MYSQL: ServerLacks = { server: "MySQL", features: mysqlItselfLacks };

/** The operators and functions of MySQL and MariaDB. */
export const mysqlWords: KnownWords = {
  operators: new Map<string, Feature>([
    ...FOREIGN_OPERATORS.map((operator) => [operator, "operators of this name"] as const),
    ["between symmetric", "between symmetric"],
    ["ilike", "ilike"],
    ["not ilike", "ilike"],
    ["||", "||"],
    ["#", "#"],
    ["==", "=="],
    ["match", "match"],
  ]),
  orderedFunctions: /^(?:group_concat|json_arrayagg)$/i,
  refusedCasts: /^(?:text|bigint|smallint|boolean|serial|bigserial|uuid|bytea|blob|timestamp|timestamptz|jsonb)\b/i,
};
