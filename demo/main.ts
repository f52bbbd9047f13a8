import { rm } from "node:fs/promises";
import { parseArgs } from "node:util";
import { CrossBindError, keyOf } from "../src/index.ts";
import { db, Event, Login, Order, User } from "./models.ts";
import { announce, conclude, narrate, silently } from "./narrator.ts";

const { values } = parseArgs({
  options: {
    default: { type: "string" },
    auth: { type: "string" },
    meta: { type: "string" },
    help: { type: "boolean" },
  },
});
if (values.help) {
  console.log(
    "npm run demo -- [--default URL] [--auth URL] [--meta URL]\n\nWithout URLs the three databases are SQLite files in ./demo-data.",
  );
  process.exit(0);
}

const instancePath = "demo-data";
await rm(instancePath, { recursive: true, force: true });

const app = db.init({
  databaseUrl: values.default ?? "sqlite:///shop.db",
  binds: { auth: values.auth ?? "sqlite:///auth.db", meta: values.meta ?? "sqlite:///meta.db" },
  instancePath,
  echo: narrate,
});

console.log("One session, three databases:");
for (const [bindKey, engine] of app.engines) console.log(`   ${(bindKey ?? "default").padStart(7)} = ${engine.url}`);

try {
  await app.run(async () => {
    await silently(() => db.dropAll());
    announce("Create the tables of every bind", "await db.createAll();");
    await db.createAll();

    announce(
      "Sign up two users and take an order: three databases, one commit",
      `
const ada = new User({ email: "ada@example.org" });
db.session.addAll([
  ada, new User({ email: "bob@example.org", admin: true }),
  new Order({ customerId: keyOf(ada), item: "engine", price: "149.90" }),   // ada has no id yet
  new Event({ what: "signup" }),
]);
await db.session.commit();`,
    );
    const ada = new User({ email: "ada@example.org" });
    const order = new Order({ customerId: keyOf(ada), item: "engine", price: "149.90" });
    db.session.addAll([ada, new User({ email: "bob@example.org", admin: true }), order, new Event({ what: "signup" })]);
    await db.session.commit();
    conclude(`ada has id ${ada.id}, and her order names customer ${order.customerId}`);

    announce("Read back: each model from its own database", 'await db.select(User).where("admin", "=", true).one();');
    const admin = await db.select(User).where("admin", "=", true).one();
    conclude(`${admin.email} signed up ${admin.createdAt.toISOString()}`);

    announce("The same row is the same object", "(await db.session.get(User, ada.id)) === ada");
    conclude(String((await db.session.get(User, ada.id)) === ada));

    announce(
      "Change two objects in two databases; the session stores what changed",
      'order.status = "paid"; ada.admin = true; await db.session.commit();',
    );
    order.status = "paid";
    ada.admin = true;
    await db.session.commit();

    announce(
      "Kysely in full, routed the same way",
      'await db.selectFrom(User).leftJoin(Login, "demo_login.userId", "demo_user.id").select(["demo_user.email", "demo_login.at"]).execute();',
    );
    const rows = await db
      .selectFrom(User)
      .leftJoin(Login, "demo_login.userId", "demo_user.id")
      .select(["demo_user.email", "demo_login.at"])
      .execute();
    conclude(JSON.stringify(rows));

    announce(
      "A join across databases is refused before anything is sent",
      'await db.selectFrom(Order).innerJoin(User, "demo_user.id", "demo_order.customerId").select("demo_user.email").execute();',
    );
    try {
      await db
        .selectFrom(Order)
        .innerJoin(User, "demo_user.id", "demo_order.customerId")
        .select("demo_user.email")
        .execute();
    } catch (error) {
      if (!(error instanceof CrossBindError)) throw error;
      conclude(`${error.name}: ${error.message}`);
    }

    announce(
      "Instead: a relation, read by one statement for each database",
      "await db.select(Order).include({ customer: { logins: true } }).all();",
    );
    db.session.expungeAll();
    const orders = await db
      .select(Order)
      .include({ customer: { logins: true } })
      .all();
    for (const { item, customer } of orders)
      conclude(`${item} for ${customer.email}, ${customer.logins.length} logins`);
  });
} finally {
  await app.dispose();
}
