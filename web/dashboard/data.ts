/** One line of a chart. NaN in `values` marks a break, on a day without a value. */
export interface Series {
  name: string;
  colour: number;
  dash: number;
  on: boolean;
  days: Int32Array;
  values: Float32Array;
}

export interface Panel {
  title: string;
  series: Series[];
}

type Embedded = { title: string; series: (Omit<Series, "days" | "values"> & { days: string; values: string })[] };

function bytes(base64: string): DataView {
  return new DataView(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
}

/** The data that stands in a panel's own script element, little-endian. */
export function readPanel(panel: HTMLElement): Panel {
  const text = panel.querySelector('script[type="application/json"]')?.textContent ?? "";
  const embedded = JSON.parse(text) as Embedded;
  const series = embedded.series.map((one) => {
    const days = bytes(one.days);
    const values = bytes(one.values);
    const size = days.byteLength / 4;
    return {
      ...one,
      days: Int32Array.from({ length: size }, (_, at) => days.getInt32(at * 4, true)),
      values: Float32Array.from({ length: size }, (_, at) => values.getFloat32(at * 4, true)),
    };
  });
  return { title: embedded.title, series };
}

export type Aligned = [number[], ...(number | null | undefined)[][]];

/**
 * The lines over one shared row of days, as uPlot takes them: undefined where a line goes on without a value of its
 * own, null all through a break. Where `positive` is set, values that a log scale cannot show become breaks.
 */
export function align(series: Series[], positive: boolean): Aligned {
  const days = [...new Set(series.flatMap((one) => [...one.days]))].sort((a, b) => a - b);
  const place = new Map(days.map((day, at) => [day, at]));
  const rows = series.map((one) => {
    const row = new Array<number | null | undefined>(days.length).fill(undefined);
    let broken = false;
    let from = 0;
    one.days.forEach((day, at) => {
      const to = place.get(day) as number;
      const value = one.values[at] as number;
      if (Number.isNaN(value) || (positive && value <= 0)) {
        broken = true;
        return;
      }
      if (broken) row.fill(null, from, to);
      row[to] = value;
      from = to + 1;
      broken = false;
    });
    if (broken) row.fill(null, from);
    return row;
  });
  return [days, ...rows];
}

/** Largest magnitude among the values, 0 where there is none. */
export function magnitude(series: Series): number {
  return series.values.reduce((most, value) => Math.max(most, Math.abs(value) || 0), 0);
}

/** A day since 1970 as YYYY-MM-DD. */
export function isoDay(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

/** The shortest decimal that reads back as the same float32: 1.411, not 1.4110000133514404. */
export function shortest(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const text = value.toPrecision(digits);
    if (Math.fround(Number(text)) === value) return String(Number(text));
  }
  return String(Number(value.toPrecision(9)));
}
