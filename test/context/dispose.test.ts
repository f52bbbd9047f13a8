import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigurationError, InvalidOptionError, integer, Multibind, varchar } from "../../src/index.ts";

const db = new Multibind();
class User extends db.model("user", { id: integer().primaryKey(), name: varchar(40) }) {}

test("with a timeout, contexts that are open go on to their end", async (t) => {
  const app = db.init({ databaseUrl: "sqlite://" });
  t.after(() => app.dispose());
  await app.createAll();
  const entered = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  const work = app.run(async () => {
    entered.resolve();
    await goOn.promise;
    db.session.add(new User({ name: "ada" }));
    await db.session.commit();
    return await db.session.select(User).count();
  });
  await entered.promise;
  const disposed = app.dispose({ timeout: "1m" });
  await assert.rejects(
    app.run(() => {}),
    ConfigurationError,
  );
  goOn.resolve();
  assert.equal(await work, 1);
  await disposed;
  await assert.rejects(app.createAll(), ConfigurationError);
});

test("what is open when the timeout is over is ended", async () => {
  const app = db.init({ databaseUrl: "sqlite://" });
  const context = app.context();
  await app.dispose({ timeout: "10ms" });
  await assert.rejects(async () => {
    await context.session.select(User).all();
  });
});

test("without open contexts nothing is waited for", async () => {
  const app = db.init({ databaseUrl: "sqlite://" });
  await app.run(() => {});
  await app.dispose({ timeout: "1h" });
  await app.dispose({ timeout: "1h" });
});

test("dispose refuses options that it does not know", async (t) => {
  const app = db.init({ databaseUrl: "sqlite://" });
  t.after(() => app.dispose());
  // @ts-expect-error there is no such option
  await assert.rejects(app.dispose({ timout: 1 }), InvalidOptionError);
});
