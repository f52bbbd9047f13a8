import { bindLabel } from "../../bind-key.ts";
import { DatabaseConnectionError } from "../../errors/database.ts";
import type { DriverConfig } from "./driver-config.ts";

/**
 * The password of a new connection: the URL's, or what the engine's own function gives now.
 *
 * @throws {DatabaseConnectionError} if the function throws or gives no text
 */
export async function passwordOf({ bindKey, options }: DriverConfig): Promise<string | undefined> {
  const { password, url } = options;
  if (password === undefined) return url?.revealPassword();
  let given: unknown;
  try {
    given = await password();
  } catch (cause) {
    throw new DatabaseConnectionError(
      `Cannot connect to ${bindLabel(bindKey)}: its function \`password\` failed, see \`cause\`.`,
      {
        bindKey,
        cause,
      },
    );
  }
  if (typeof given === "string") return given;
  throw new DatabaseConnectionError(
    `Cannot connect to ${bindLabel(bindKey)}: its function \`password\` gave no text. Return the password, or a promise of it.`,
    { bindKey },
  );
}
