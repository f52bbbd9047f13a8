import { integer, type ToOne, varchar } from "../../../src/index.ts";
import { Author } from "./author.ts";
import { db } from "./db.ts";

export class Book extends db.model("book", { id: integer().primaryKey(), authorId: integer(), title: varchar(40) }) {
  declare readonly author: ToOne<Author>;

  static {
    db.relate(Book, (r) => ({ author: r.belongsTo(() => Author, "authorId") }));
  }
}
