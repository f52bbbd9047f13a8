/** Facts that a server reports about itself. */
export interface ServerRole {
  /** Whether it follows another server. */
  readonly standby: boolean;
  /** Whether sessions on it only read unless they say otherwise; a standby's always do. */
  readonly readonly: boolean;
}

/** Asks for a {@link ServerRole}. */
export const ROLE_QUERY =
  "select pg_is_in_recovery() as standby, current_setting('transaction_read_only') = 'on' as readonly";

type Judge = (role: ServerRole) => boolean;

const JUDGES: Readonly<Record<string, Judge>> = {
  "read-write": ({ readonly }) => !readonly,
  "read-only": ({ readonly }) => readonly,
  primary: ({ standby }) => !standby,
  standby: ({ standby }) => standby,
};

/** The values of `target_session_attrs`, as `psql` knows them. */
export const TARGETS: readonly string[] = ["any", ...Object.keys(JUDGES), "prefer-standby"];

/** The kinds of server that will do, best first: all hosts are tried for one before the next; `undefined` is any. */
export function targetsOf(target: string | undefined): readonly (string | undefined)[] {
  if (target === "prefer-standby") return ["standby", undefined];
  return [target === "any" ? undefined : target];
}

/** The SQLSTATE for that no connection could be made. */
const UNABLE_TO_CONNECT = "08001";

/** @throws as the driver does when it cannot connect, if a server is not of the kind that is wanted */
export function requireTarget(target: string, role: ServerRole): void {
  if (JUDGES[target]!(role)) return;
  const is = role.standby ? "a standby" : role.readonly ? "a primary that only reads" : "a primary";
  throw Object.assign(new Error(`The server is ${is}, and target_session_attrs wants "${target}"`), {
    code: UNABLE_TO_CONNECT,
  });
}
