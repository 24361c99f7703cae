import type { ChartData, Encoded, LineData, LineSeries } from "./chart-data";

/** A line whose points are decoded. NaN in `values` marks a break, on a day without a value. */
export interface Series extends Omit<LineSeries, keyof Encoded> {
  days: Int32Array;
  values: Float32Array | Float64Array;
}

/** A chart over dates whose lines are decoded. */
export interface Lines extends Omit<LineData, "series"> {
  series: Series[];
}

function bytes(base64: string): DataView {
  return new DataView(Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)).buffer);
}

function decoded(one: LineSeries): Series {
  const days = bytes(one.days);
  const values = bytes(one.values);
  const size = { length: days.byteLength / 4 };
  return {
    ...one,
    days: Int32Array.from(size, (_, at) => days.getInt32(at * 4, true)),
    values: one.wide
      ? Float64Array.from(size, (_, at) => values.getFloat64(at * 8, true))
      : Float32Array.from(size, (_, at) => values.getFloat32(at * 4, true)),
  };
}

/** The data that stands in a chart's own script element, little-endian. */
export function readChart(card: HTMLElement): Lines | Exclude<ChartData, LineData> {
  const text = card.querySelector('script[type="application/json"]')?.textContent ?? "";
  const embedded = JSON.parse(text) as ChartData;
  return embedded.kind === "lines" ? { ...embedded, series: embedded.series.map(decoded) } : embedded;
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
  let most = 0;
  for (const value of series.values) most = Math.max(most, Math.abs(value) || 0);
  return most;
}
