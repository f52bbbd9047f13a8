import { integer, type ToMany, varchar } from "../../../src/index.ts";
import { Book } from "./book.ts";
import { db } from "./db.ts";

export class Author extends db.model("author", { id: integer().primaryKey(), name: varchar(40) }, { bindKey: "auth" }) {
  declare readonly books: ToMany<Book>;

  static {
    db.relate(Author, (r) => ({ books: r.hasMany(() => Book, "authorId") }));
  }
}
