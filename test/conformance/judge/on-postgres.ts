import type { Case } from "../read/cases.ts";
import { asObject, isObject, memberOf } from "../read/json.ts";

/**
 * The case with a PostgreSQL database for each bind, and what was recorded of it there. Nothing where that was not
 * recorded.
 */
export function onPostgres(one: Case): Case | undefined {
  const { inputs, postgresql } = one;
  if (postgresql === undefined) return undefined;
  const config = asObject(inputs["config"], "config");
  const { binds } = config;
  const result = postgresql === "same" ? one.result : asObject(memberOf(postgresql, "differs"), "postgresql.differs");
  return {
    ...one,
    inputs: {
      ...inputs,
      config: {
        ...config,
        ...(config["uri"] === undefined ? {} : { uri: "pg:default" }),
        ...(isObject(binds) ? { binds: Object.fromEntries(Object.keys(binds).map((key) => [key, `pg:${key}`])) } : {}),
      },
    },
    result,
    postgresql: undefined,
  };
}
