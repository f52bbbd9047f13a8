const [HYPHEN, SPACE, T, COLON, POINT, ZERO] = [45, 32, 84, 58, 46, 48] as const;
/** Makes any number that it becomes a part of negative. */
const NO_DIGIT = -10_000;

/**
 * Reads the form that nearly every instant has, `2026-01-31 12:00:00.123` in UTC, digit by digit: many times faster than
 * by an expression. NaN for every other form.
 */
export function usualInstant(text: string): number {
  const { length } = text;
  const end = text.endsWith("+00") ? length - 3 : length;
  const separator = text.charCodeAt(10);
  const isUsual =
    end >= 19 &&
    end <= 23 &&
    end !== 20 &&
    text.charCodeAt(4) === HYPHEN &&
    text.charCodeAt(7) === HYPHEN &&
    (separator === SPACE || separator === T) &&
    text.charCodeAt(13) === COLON &&
    text.charCodeAt(16) === COLON &&
    (end === 19 || text.charCodeAt(19) === POINT);
  if (!isUsual) return Number.NaN;
  const year = two(text, 0) * 100 + two(text, 2);
  const month = two(text, 5);
  const day = two(text, 8);
  const hours = two(text, 11);
  const minutes = two(text, 14);
  const seconds = two(text, 17);
  let fraction = 0;
  for (let place = 20; place < 23; place++) fraction = fraction * 10 + (place < end ? digit(text, place) : 0);
  const exists =
    year >= 100 && // Before that, `Date.UTC` means another century.
    month >= 1 &&
    month <= 12 &&
    day >= 1 &&
    day <= 28 + (month === 2 ? 0 : 2) && // The calendar's other last days are left to the expression.
    hours >= 0 &&
    hours <= 23 &&
    minutes >= 0 &&
    minutes <= 59 &&
    seconds >= 0 &&
    seconds <= 59 &&
    fraction >= 0;
  return exists ? Date.UTC(year, month - 1, day, hours, minutes, seconds, fraction) : Number.NaN;
}

function two(text: string, place: number): number {
  return digit(text, place) * 10 + digit(text, place + 1);
}

function digit(text: string, place: number): number {
  const value = text.charCodeAt(place) - ZERO;
  return value >= 0 && value <= 9 ? value : NO_DIGIT;
}
