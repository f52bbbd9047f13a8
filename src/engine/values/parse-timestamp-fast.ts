const [HYPHEN, SPACE, T, COLON, POINT, PLUS, ZERO] = [45, 32, 84, 58, 46, 43, 48] as const;
const MILLISECONDS_OF_A_DAY = 86_400_000;
/** From the first of March of the year 0 to the first of January 1970. */
const DAYS_BEFORE_1970 = 719_468;
const LONGEST = "2026-01-31 12:00:00.123".length;
const WITHOUT_FRACTION = "2026-01-31 12:00:00".length;

/**
 * Reads the form that nearly every instant has, `2026-01-31 12:00:00.123` in UTC, digit by digit: many times faster than
 * by an expression. NaN for every other form.
 */
export function parseTimestampFast(text: string): number {
  const { length } = text;
  const isMarked = length > WITHOUT_FRACTION && text.charCodeAt(length - 3) === PLUS && text.endsWith("00");
  const end = isMarked ? length - 3 : length;
  if (end < WITHOUT_FRACTION || end > LONGEST) return Number.NaN;
  const separator = text.charCodeAt(10);
  const isUsual =
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    (separator === SPACE || separator === T) &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON;
  if (!isUsual) return Number.NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hours = two(text, 11);
  const minutes = two(text, 14);
  const seconds = two(text, 17);
  const fraction = end === WITHOUT_FRACTION ? 0 : fractionOf(text, end);
  const exists =
    year >= 1 &&
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= lastDay(month) &&
    hours >= 0 &&
    hours <= 23 &&
    minutes >= 0 &&
    minutes <= 59 &&
    seconds >= 0 &&
    seconds <= 59 &&
    fraction >= 0;
  if (!exists) return Number.NaN;
  const time = ((hours * 60 + minutes) * 60 + seconds) * 1000 + fraction;
  return daysSince1970(year, month, day) * MILLISECONDS_OF_A_DAY + time;
}

/** The last day of a month; a leap day is left to the expression. */
function lastDay(month: number): number {
  // Up to July the odd months are the long ones, from August on the even ones.
  return month === 2 ? 28 : 30 + ((month + (month >> 3)) & 1);
}

/** In years that begin with March the leap day is the last, and the days before a month follow a rule. */
function daysSince1970(year: number, month: number, day: number): number {
  const isBeforeMarch = month < 3;
  const years = isBeforeMarch ? year - 1 : year;
  const months = isBeforeMarch ? month + 9 : month - 3;
  const centuries = (years / 100) | 0;
  const leapDays = (years >> 2) - centuries + (centuries >> 2);
  return years * 365 + leapDays + (((months * 153 + 2) / 5) | 0) + day - 1 - DAYS_BEFORE_1970;
}

/** The milliseconds between the point and the end; negative if something else is there. */
function fractionOf(text: string, end: number): number {
  if (text.charCodeAt(WITHOUT_FRACTION) !== POINT || end === WITHOUT_FRACTION + 1) return -1;
  if (end === LONGEST) return two(text, 20) * 10 + digit(text, 22);
  return end === LONGEST - 1 ? two(text, 20) * 10 : digit(text, 20) * 100;
}

function two(text: string, place: number): number {
  return digit(text, place) * 10 + digit(text, place + 1);
}

/** Any number that something else than a digit becomes a part of is negative. */
function digit(text: string, place: number): number {
  const value = text.charCodeAt(place) - ZERO;
  return value >>> 0 > 9 ? -10_000 : value;
}
