/** Reads `2026-01-31 12:00:00.123`, in UTC; what follows the milliseconds is passed over. The fastest way there is. */
export function readInstant(text: string): Date {
  const year = digit(text, 0) * 1000 + digit(text, 1) * 100 + digit(text, 2) * 10 + digit(text, 3);
  return new Date(
    Date.UTC(
      year,
      two(text, 5) - 1,
      two(text, 8),
      two(text, 11),
      two(text, 14),
      two(text, 17),
      text.charCodeAt(19) === 46 ? fraction(text) : 0,
    ),
  );
}

/** Writes the same form. */
export function writeInstant(instant: Date): string {
  const iso = instant.toISOString();
  return `${iso.slice(0, 10)} ${iso.slice(11, 23)}`;
}

function fraction(text: string): number {
  let milliseconds = 0;
  let unit = 100;
  for (let place = 20; unit >= 1; place++, unit /= 10) {
    const value = digit(text, place);
    // Not a digit: PostgreSQL leaves zeros at the end out.
    if (!(value >= 0 && value <= 9)) break;
    milliseconds += value * unit;
  }
  return milliseconds;
}

function two(text: string, place: number): number {
  return digit(text, place) * 10 + digit(text, place + 1);
}

function digit(text: string, place: number): number {
  return text.charCodeAt(place) - 48;
}
