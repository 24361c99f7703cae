const plain = new Intl.NumberFormat("en", { maximumSignificantDigits: 15 });

/** A day since 1970 as YYYY-MM-DD. */
export function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/**
 * A number as it was: the shortest decimal that reads back as the same float32 where it is one (1.411, not
 * 1.4110000133514404), in groups of three digits where it is long.
 */
export function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return grouped(Number(text));
  }
  return grouped(value);
}

/** As `shortest`, for a number that is float64. */
export function grouped(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-6 || size >= 1e15) ? String(value) : plain.format(value);
}

/** A value with its unit: 12.5%, but 1.4 mg/L. */
export function withUnit(text: string, unit: string): string {
  return unit === "" ? text : unit === "%" ? `${text}%` : `${text}\u00a0${unit}`;
}
