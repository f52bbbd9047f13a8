const MILLISECONDS_OF_A_DAY = 86_400_000;
/** From the first of March of the year 0 to the first of January 1970. */
const DAYS_BEFORE_1970 = 719_468;
const DAYS_OF_A_CYCLE = 146_097;
const [ZERO, HYPHEN, SPACE, T, COLON, POINT] = [48, 45, 32, 84, 58, 46] as const;

/**
 * Writes an instant of the years 1 to 9999 in the form `2026-01-31 12:00:00.000`, in UTC, character by character: many
 * times faster than cutting it out of what `toISOString` gives.
 */
export function instantText(instant: Date, separator: " " | "T" = " "): string {
  const time = instant.getTime();
  const days = Math.floor(time / MILLISECONDS_OF_A_DAY);
  const ofDay = time - days * MILLISECONDS_OF_A_DAY;
  // The calendar repeats after 400 years, in years that begin with March: so the leap day is a year's last.
  const sinceMarch = days + DAYS_BEFORE_1970;
  const cycle = Math.floor(sinceMarch / DAYS_OF_A_CYCLE);
  const inCycle = sinceMarch - cycle * DAYS_OF_A_CYCLE;
  const leapDays = whole(inCycle, 1_460) - whole(inCycle, 36_524) + whole(inCycle, 146_096);
  const yearOfCycle = whole(inCycle - leapDays, 365);
  const dayOfYear = inCycle - (365 * yearOfCycle + whole(yearOfCycle, 4) - whole(yearOfCycle, 100));
  const sinceFirstMonth = whole(5 * dayOfYear + 2, 153);
  const day = dayOfYear - whole(153 * sinceFirstMonth + 2, 5) + 1;
  const month = sinceFirstMonth < 10 ? sinceFirstMonth + 3 : sinceFirstMonth - 9;
  const year = cycle * 400 + yearOfCycle + (month < 3 ? 1 : 0);
  const century = whole(year, 100);
  const yearOfCentury = year % 100;
  const minuteOfDay = whole(ofDay, 60_000);
  const hour = whole(minuteOfDay, 60);
  const minute = minuteOfDay % 60;
  const ofMinute = ofDay % 60_000;
  const second = whole(ofMinute, 1_000);
  const millisecond = ofMinute % 1_000;
  return String.fromCharCode(
    tens(century),
    ones(century),
    tens(yearOfCentury),
    ones(yearOfCentury),
    HYPHEN,
    tens(month),
    ones(month),
    HYPHEN,
    tens(day),
    ones(day),
    separator === " " ? SPACE : T,
    tens(hour),
    ones(hour),
    COLON,
    tens(minute),
    ones(minute),
    COLON,
    tens(second),
    ones(second),
    POINT,
    ZERO + whole(millisecond, 100),
    tens(millisecond % 100),
    ones(millisecond),
  );
}

function tens(number: number): number {
  return ZERO + whole(number, 10);
}

function ones(number: number): number {
  return ZERO + (number % 10);
}

/** How often a number is in another, neither of which is negative. */
function whole(number: number, part: number): number {
  return (number / part) | 0;
}
