import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  enumeration,
  integer,
  ModelClassError,
  Multibind,
  SchemaError,
  select,
  type ToMany,
  type ToOne,
  text,
  timestamp,
  unique,
  varchar,
} from "../../src/index.ts";

const id = () => integer().primaryKey();

/** What `db.check` says of a child, a parent and a link that are related by `say`. */
function refusal(
  pattern: RegExp,
  say: (models: Models) => void,
  ErrorClass: typeof SchemaError | typeof ModelClassError = SchemaError,
): void {
  const db = new Multibind<"auth">();
  class Parent extends db.model("parent", {
    id: id(),
    code: varchar(8).unique(),
    area: integer().nullable(),
    childId: integer().nullable().unique(),
  }) {
    greet() {
      return "hello";
    }
  }
  class Child extends db.model(
    "child",
    { id: id(), parentId: integer(), otherId: integer().nullable(), parentCode: varchar(20), area: integer() },
    { bindKey: "auth" },
  ) {}
  const link = db.table("link", { parentId: integer().primaryKey(), childId: integer().primaryKey() });
  assert.throws(
    () => {
      say({ db, Parent, Child, link });
      db.check();
    },
    (error: unknown) => {
      assert.ok(error instanceof ErrorClass, String(error));
      assert.match(error.message, pattern);
      return true;
    },
  );
}

interface Models {
  readonly db: Multibind<"auth">;
  // biome-ignore lint/suspicious/noExplicitAny: relations that the compiler refuses are said on purpose
  readonly Parent: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly Child: any;
  // biome-ignore lint/suspicious/noExplicitAny: as above
  readonly link: any;
}

/** Says relations that the compiler would refuse. */
// biome-ignore lint/suspicious/noExplicitAny: as above
function say({ db }: Models, model: any, facts: (r: any) => object): void {
  (db.relate as (model: unknown, facts: unknown) => void).call(db, model, facts);
}

describe("db.check refuses relations that do not fit the models", () => {
  test("a column that there is not, with those that there are", () => {
    refusal(
      /Child\.parent \(bind "auth"\): child \(bind "auth"\) has no column "parentid"\. Its columns: "id", "parentId"/,
      (m) => say(m, m.Child, (r) => ({ parent: r.belongsTo(() => m.Parent, "parentid") })),
    );
  });

  test("a target that is no model", () => {
    refusal(/Child\.parent \(bind "auth"\): its target is not a model/, (m) =>
      say(m, m.Child, (r) => ({ parent: r.belongsTo(() => Date, "parentId") })),
    );
  });

  test("columns of different types", () => {
    refusal(/is integer and "parentCode" of child is varchar/, (m) =>
      say(m, m.Child, (r) => ({ parent: r.belongsTo(() => m.Parent, "parentCode") })),
    );
  });

  test("a parent found by columns that several rows may share", () => {
    refusal(/several rows of parent \(the default bind\) may have the same "area"/, (m) =>
      say(m, m.Child, (r) => ({ parent: r.belongsTo(() => m.Parent, { area: "area" }) })),
    );
  });

  test("one row at most by a column that is not unique, unless that is said", () => {
    refusal(/may have the same "parentId"\. Make it unique, or say `\{ unique: false \}`/, (m) =>
      say(m, m.Parent, (r) => ({ child: r.hasOne(() => m.Child, "parentId") })),
    );
    const db = new Multibind();
    class Child extends db.model("child", { id: id(), parentId: integer() }) {}
    class Parent extends db.model("parent", { id: id() }) {
      declare readonly child: ToOne<Child | null>;
    }
    db.relate(Parent, (r) => ({ child: r.hasOne(() => Child, "parentId", { unique: false }) }));
    db.check();
  });

  test("two relations over the same columns, of whatever kind; a view is no second one", () => {
    refusal(/both Parent\.children and Parent\.others: they are over the same columns/, (m) =>
      say(m, m.Parent, (r) => ({
        children: r.hasMany(() => m.Child, "parentId"),
        others: r.hasMany(() => m.Child, "parentId"),
      })),
    );
    refusal(/they are over the same columns/, (m) =>
      say(m, m.Parent, (r) => ({
        children: r.hasMany(() => m.Child, "parentId"),
        child: r.hasOne(() => m.Child, "parentId", { unique: false }),
      })),
    );
    const db = new Multibind();
    class Child extends db.model("child", { id: id(), parentId: integer() }) {}
    class Parent extends db.model("parent", { id: id() }) {}
    say({ db } as never, Parent, (r) => ({
      children: r.hasMany(() => Child, "parentId"),
      first: r.view(
        () => Child,
        "parentId",
        () => select(Child).where("id", "=", 1),
      ),
    }));
    db.check();
  });

  test("a name that columns, methods or toJSON have", () => {
    refusal(/it has a column "area" already/, (m) =>
      say(m, m.Parent, (r) => ({ area: r.hasMany(() => m.Child, "parentId") })),
    );
    for (const name of ["greet", "toJSON", "constructor"]) {
      refusal(new RegExp(`"${name}" is a member of its class already`), (m) =>
        say(m, m.Parent, (r) => ({ [name]: r.hasMany(() => m.Child, "parentId") })),
      );
    }
  });

  test("options that there are not, and classes in place of functions", () => {
    refusal(/no option "onDelete" of hasMany/, (m) =>
      say(m, m.Parent, (r) => ({ children: r.hasMany(() => m.Child, "parentId", { onDelete: "delete" }) })),
    );
    refusal(/Expected belongsTo to get functions, such as/, (m) =>
      say(m, m.Child, (r) => ({ parent: r.belongsTo(m.Parent, "parentId") })),
    );
  });
});

describe("db.check refuses a table between that cannot stand for pairs", () => {
  const link = (columns: object, options = {}, columnsOfFact: object = { from: "parentId", to: "childId" }) => {
    return (m: Models) => {
      const table = m.db.table("between", columns as never, options as never);
      say(m, m.Parent, (r) => ({
        children: r.manyToMany(
          () => m.Child,
          () => table,
          columnsOfFact,
        ),
      }));
    };
  };

  test("with a pair twice", () => {
    refusal(
      /table "between" \(the default bind\) may hold a pair of "parentId", "childId" twice.*unique\(\["parentId", "childId"\]\)/,
      link({ id: id(), parentId: integer(), childId: integer() }),
    );
  });

  test("with a further column that needs a value", () => {
    refusal(
      /a row of table "between" \(the default bind\) needs a value for "rank" too/,
      link({ parentId: integer().primaryKey(), childId: integer().primaryKey(), rank: integer() }),
    );
  });

  test("with a column that there is not, one for both sides, or one of another type", () => {
    const columns = { parentId: integer().primaryKey(), childId: integer().primaryKey() };
    refusal(
      /table "between" \(the default bind\) has no column "childID"/,
      link(columns, {}, { from: "parentId", to: "childID" }),
    );
    refusal(/cannot hold the keys of both sides/, link(columns, {}, { from: "parentId", to: "parentId" }));
    refusal(
      /"id" of child is integer and "childId" of between is varchar/,
      link({ parentId: integer().primaryKey(), childId: varchar(9).primaryKey() }),
    );
  });

  test("but takes columns that fill themselves, and a unique constraint in place of the key", () => {
    const db = new Multibind();
    class Tag extends db.model("tag", { id: id() }) {}
    class Post extends db.model("post", { id: id() }) {
      declare readonly tags: ToMany<Tag>;
    }
    const taggings = db.table(
      "tagging",
      {
        id: id(),
        tagId: integer(),
        postId: integer(),
        note: text().nullable(),
        madeAt: timestamp().default(() => new Date(0)),
        rank: integer().default(0),
      },
      { constraints: [unique(["tagId", "postId"])] },
    );
    db.relate(Post, (r) => ({
      tags: r.manyToMany(
        () => Tag,
        () => taggings,
        { from: "postId", to: "tagId" },
      ),
    }));
    db.check();
  });
});

describe("a class field that hides a relation", () => {
  const hidden = (m: Models) => {
    class Slip extends m.db.model("slip", { id: id(), parentId: integer() }) {
      // As if `declare` had been forgotten.
      parent = undefined;
    }
    return Slip;
  };

  test("is found by db.check, with the class and the property", () => {
    refusal(
      /A field of class Slip hides its relation "parent"\. Write it with `declare`.*`declare readonly parent: …`/,
      (m) => say(m, hidden(m), (r) => ({ parent: r.belongsTo(() => m.Parent, "parentId") })),
      ModelClassError,
    );
  });

  test("is found when the class is first used", () => {
    const db = new Multibind();
    class Parent extends db.model("parent", { id: id() }) {}
    const m = { db, Parent } as unknown as Models;
    const Slip = hidden(m);
    say(m, Slip, (r) => ({ parent: r.belongsTo(() => Parent, "parentId") }));
    const app = db.init({ databaseUrl: "sqlite://" });
    assert.throws(() => app.session().add(new Slip({ parentId: 1 })), ModelClassError);
  });

  test("is found by db.relate where the class was used before", () => {
    const db = new Multibind();
    class Parent extends db.model("parent", { id: id() }) {}
    const m = { db, Parent } as unknown as Models;
    const Slip = hidden(m);
    db.init({ databaseUrl: "sqlite://" })
      .session()
      .add(new Slip({ parentId: 1 }));
    assert.throws(() => say(m, Slip, (r) => ({ parent: r.belongsTo(() => Parent, "parentId") })), ModelClassError);
  });
});

describe("relations of children", () => {
  const vehicles = () => {
    const db = new Multibind();
    class Owner extends db.model("owner", { id: id() }) {}
    class Garage extends db.model("garage", { id: id(), carId: integer().unique() }) {}
    class Vehicle extends db.model(
      "vehicle",
      { id: id(), kind: enumeration(["car", "truck"]), ownerId: integer() },
      { discriminator: "kind" },
    ) {
      declare readonly owner: ToOne<Owner>;
      static {
        db.relate(Vehicle, (r) => ({ owner: r.belongsTo(() => Owner, "ownerId") }));
      }
    }
    return { db, Owner, Garage, Vehicle };
  };

  test("are those of the parent and what is said besides", () => {
    const { db, Garage, Vehicle } = vehicles();
    class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {
      declare readonly garage: ToOne<InstanceType<typeof Garage> | null>;
    }
    db.relate(Car, Vehicle, (r) => ({ garage: r.hasOne(() => Garage, "carId") }));
    db.check();
    const car = new Car({ ownerId: 1, doors: 3 });
    assert.equal("owner" in car && "garage" in car, true);
    assert.deepEqual(Object.keys(car), ["id", "kind", "ownerId", "doors"]);
    assert.equal("garage" in new Vehicle({ kind: "truck", ownerId: 1 }), false);
  });

  test("are not left to a class whose rows are others", () => {
    const { db, Garage, Owner, Vehicle } = vehicles();
    class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {}
    const relate = db.relate.bind(db) as (...given: readonly unknown[]) => void;
    for (const parent of [Owner, Garage, Car])
      assert.throws(() => relate(Car, parent, () => ({})), /its rows are not rows of that class/);
  });

  test("have names that neither side has", () => {
    const { db, Owner, Vehicle } = vehicles();
    class Car extends Vehicle.extend({ doors: integer(), driverId: integer().nullable() }, { identity: "car" }) {}
    const m = { db } as unknown as Models;
    assert.throws(
      () => say(m, Car, (r) => ({ owner: r.belongsTo(() => Owner, "driverId") })),
      /has a relation "owner" already/,
    );
    assert.throws(
      () => say(m, Vehicle, (r) => ({ doors: r.belongsTo(() => Owner, "ownerId") })),
      /has a column "doors"/,
    );
    assert.throws(
      () => Vehicle.extend({ owner: text() }, { identity: "truck" }),
      /cannot have a column "owner": that is a relation of its parent class/,
    );
  });

  test("over columns of one of the parent's are refused", () => {
    const { db, Owner, Vehicle } = vehicles();
    class Car extends Vehicle.extend({ doors: integer() }, { identity: "car" }) {}
    say({ db } as unknown as Models, Car, (r) => ({ keeper: r.belongsTo(() => Owner, "ownerId") }));
    assert.throws(() => db.check(), /both Vehicle\.owner and Car\.keeper: they are over the same columns/);
  });

  test("with a table of their own are said anew", () => {
    const { db, Owner, Vehicle } = vehicles();
    class Boat extends Vehicle.extend("boat", { length: integer() }, { concrete: true }) {}
    const app = db.init({ databaseUrl: "sqlite://" });
    assert.throws(
      () => app.session().add(new Boat({ kind: "car", ownerId: 1, length: 9 })),
      /Boat has a table of its own, "boat" \(the default bind\).*db\.relate\(Boat, .* with "owner"/,
    );
    db.relate(Boat, (r) => ({ owner: r.belongsTo(() => Owner, "ownerId") }));
    db.check();
    app.session().add(new Boat({ kind: "car", ownerId: 1, length: 9 }));
  });
});

test("models that modules define later are checked when they are there", () => {
  const db = new Multibind();
  class Post extends db.model("post", { id: id(), authorId: integer(), text: text() }) {
    declare readonly author: ToOne<User>;
    declare readonly comments: ToMany<User>;
  }
  const later = { isDefined: false };
  const target = () => {
    if (!later.isDefined) throw new ReferenceError("Cannot access 'User' before initialization");
    return User;
  };
  (db.relate as (model: unknown, facts: unknown) => void).call(
    db,
    Post,
    (r: { belongsTo(...given: unknown[]): void }) => ({
      author: r.belongsTo(target, "authorIdd"),
    }),
  );
  db.init({ databaseUrl: "sqlite://" });
  class User extends db.model("user", { id: id() }) {}
  later.isDefined = true;
  assert.throws(() => db.check(), /has no column "authorIdd"/);
  assert.throws(() => db.init({ databaseUrl: "sqlite://" }), SchemaError);
});

test("a relation that follows one whose class is not there yet is checked all the same", () => {
  const db = new Multibind();
  class Post extends db.model("post", { id: id(), authorId: integer(), tagId: integer() }) {}
  say({ db } as unknown as Models, Post, (r) => ({
    author: r.belongsTo(() => {
      throw new ReferenceError("Cannot access 'User' before initialization");
    }, "authorId"),
    tag: r.belongsTo(() => Post, "tagID"),
  }));
  assert.throws(() => db.init({ databaseUrl: "sqlite://" }), /has no column "tagID"/);
});

test("a class that is defined anew takes its relations along", () => {
  const db = new Multibind({ redefine: "replace" });
  for (const column of ["authorId", "writerId"]) {
    class Post extends db.model("post", { id: id(), [column]: integer() }) {}
    class User extends db.model("user", { id: id() }) {}
    say({ db } as unknown as Models, User, (r) => ({ posts: r.hasMany(() => Post, column) }));
  }
  db.check();
});
