import { FormatError, type Json } from "../read/json.ts";
import type { StepHandlers } from "./step.ts";

/** Steps about what is announced of commits. The original's signals answer to events of the session. */
export const signalSteps: StepHandlers = {
  listen_signals: (_, { session, signals, objects }) => {
    session.on("beforeCommit", () => void signals.push({ signal: "before_models_committed" }));
    session.on("modelsCommitted", (changes) => {
      signals.push({
        signal: "models_committed",
        changes: changes.map(([entity, operation]): Json => [objects.labelOf(entity), operation]),
      });
    });
    return null;
  },
  signals: (_, { signals }) => signals.splice(0),
  on_signal_modify: (step, { session, objects }) => {
    const signal = step.text("signal");
    if (signal !== "before_models_committed")
      throw new FormatError(`a change when ${signal} is sent, which this runner does not know`);
    const entity = objects.get(step.text("obj")) as unknown as Record<string, unknown>;
    const name = step.text("name");
    const value = step.json("value");
    session.on("beforeCommit", () => {
      entity[name] = value;
    });
    return null;
  },
  // Whoever listens is told; there is no setting that turns it on or off.
  set_config: (step) => {
    if (step.text("key") !== "SQLALCHEMY_TRACK_MODIFICATIONS")
      throw new FormatError(`the setting ${step.text("key")} is not known`);
    step.ignore("value");
    return null;
  },
};
