import { CompiledQuery, Log, type LogConfig } from "kysely";
import type { EchoListener } from "./echo.ts";

/** Makes a listener that passes statements to Kysely's log. Statements of sessions are written by no Kysely, so they have no tree. */
export function kyselyLog(config: LogConfig): EchoListener {
  const log = new Log(config);
  return ({ sql, parameters, duration, error }) => {
    const query = CompiledQuery.raw(sql, [...parameters]);
    const logged =
      error === undefined
        ? log.query(() => ({ level: "query", query, queryDurationMillis: duration }))
        : log.error(() => ({ level: "error", query, queryDurationMillis: duration, error }));
    logged.catch((failure: unknown) => {
      process.emitWarning(`The function in \`log\` failed: ${failure}`, {
        type: "MultibindWarning",
        code: "MULTIBIND_LISTENER",
      });
    });
  };
}
