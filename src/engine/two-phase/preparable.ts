import { bindLabel } from "../../bind-key.ts";
import { UnsupportedError } from "../../errors/configuration.ts";
import type { Connection } from "../connection.ts";
import type { Engine } from "../engine.ts";
import { catalogOf } from "../reflection/catalog-query.ts";

const preparable = new WeakSet<Engine>();

/**
 * Checks that a server lets transactions be prepared; asked until it does.
 *
 * @throws {UnsupportedError} naming the setting that is in the way
 */
export async function requirePreparable(connection: Connection): Promise<void> {
  const { engine } = connection;
  if (preparable.has(engine)) return;
  const reason = await engine.twoPhase!.refusal(catalogOf(connection));
  if (reason !== undefined) {
    throw new UnsupportedError(
      `${bindLabel(engine.bindKey)} cannot take part in a two-phase commit: ${reason}. Nothing was written there. ` +
        'Change that, make it the `decisionBind`, or choose the commit policy "ordered".',
      { bindKey: engine.bindKey },
    );
  }
  preparable.add(engine);
}
