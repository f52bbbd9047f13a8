/** The object of options that all parts of one of the driver's connections share. */
export interface MariadbSharedOptions {
  /** The path of the socket that the connection is on, which is as safe as an encrypted one. */
  socketPath?: string | undefined;
  readonly debug?: boolean;
  readonly logger: { network?: ((message: string) => void) | null | undefined };
  emit(event: "debug", on: boolean): unknown;
}

/** The kinds of packets that matter, by their first byte. */
const OK = 0;
/** In front of its content, each packet has its length and its number. */
const HEADER = 4;
/** A line of the driver's dump of a packet: up to sixteen bytes, and the same as text. */
const DUMPED = /^\| ((?:[\dA-F]{2} {1,2}){1,16}) *\|/gim;
/** The three numbers in what the server says of an update, in whatever language. */
const NUMBERS = /^\D*(\d+)\D+(\d+)\D+(\d+)\D*$/;

/**
 * The number of rows that an update changed. The server says it in a text beside the number of rows that the update found,
 * and the driver passes over that text; its log of packets has it, on every kind of connection.
 */
export class ChangedRows {
  readonly #options: MariadbSharedOptions;

  /** @param options those that the driver's parts share */
  constructor(options: MariadbSharedOptions) {
    this.#options = options;
  }

  /**
   * Listens to the answer of an update, which has to be the first that comes.
   *
   * @returns a function that stops this, and returns the number of changed rows; undefined if the server did not say it
   */
  listen(): (affectedRows: number | undefined) => bigint | undefined {
    const options = this.#options;
    const { logger } = options;
    const { network } = logger;
    const isLogging = options.debug === true && typeof network === "function";
    let update: Update | undefined;
    logger.network = (message) => {
      if (isLogging) network(message);
      if (update === undefined && message.startsWith("<==")) update = updateOf(message);
    };
    if (!isLogging) options.emit("debug", true);
    return (affectedRows) => {
      logger.network = network;
      if (!isLogging) options.emit("debug", false);
      if (update === undefined || affectedRows !== update.affected) return undefined;
      // Which of the two the server counts, an option of the driver says.
      return update.affected === update.matched || update.affected === update.changed
        ? BigInt(update.changed)
        : undefined;
    };
  }
}

/** The server's report of an update. */
interface Update {
  readonly affected: number;
  readonly matched: number;
  readonly changed: number;
}

/** Reads the answer to an update out of the driver's dump of a packet; undefined for any other packet. */
function updateOf(dump: string): Update | undefined {
  const lines = [...dump.matchAll(DUMPED)].map(([, bytes]) => bytes!.replaceAll(" ", ""));
  const packet = Buffer.from(lines.join(""), "hex").subarray(HEADER);
  if (packet[0] !== OK) return undefined;
  const affected = lengthAt(packet, 1);
  const generated = lengthAt(packet, affected.end);
  // The status and the number of warnings follow. The text has its length in front where the session's state may follow it.
  const said = packet.toString("latin1", generated.end + 4);
  const { value: length, end } = lengthAt(packet, generated.end + 4);
  const text = end + length <= packet.length && length > 0 ? packet.toString("latin1", end, end + length) : said;
  const [, matched, changed] = NUMBERS.exec(text) ?? [];
  return matched === undefined
    ? undefined
    : { affected: affected.value, matched: Number(matched), changed: Number(changed) };
}

/** A number in the protocol's form, and where it ends. */
function lengthAt(packet: Buffer, start: number): { readonly value: number; readonly end: number } {
  const first = packet[start] ?? 0;
  const bytes = first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : 0;
  if (bytes === 0 || start + 1 + bytes > packet.length) return { value: first, end: start + 1 };
  const value = bytes === 8 ? Number(packet.readBigUInt64LE(start + 1)) : packet.readUIntLE(start + 1, bytes);
  return { value, end: start + 1 + bytes };
}
