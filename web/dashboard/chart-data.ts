// Generated from assay/page/chart_data.py by `make chart-types`. Do not edit.

/**
 * The points of a line, each list in base64.
 *
 * `days` are little-endian int32 since 1970-01-01; `values` little-endian float64 if `wide`, else float32. NaN marks a
 * break, on a day without a value.
 */
export interface Encoded {
  days: string;
  values: string;
  wide: boolean;
}

/**
 * One line: the numbers of its colour and dash, and whether it is switched on at first.
 *
 * `marks` are rings around single values, without a line between them.
 */
export interface LineSeries {
  days: string;
  values: string;
  wide: boolean;
  name: string;
  colour: number;
  dash: number;
  on: boolean;
  marks: boolean;
}

/**
 * A chart over dates; `unit` is that of the values.
 */
export interface LineData {
  kind: "lines";
  title: string;
  unit: string;
  series: LineSeries[];
}

/**
 * A value for each label. Upright bars stand in an order, such as that of months; names stand beside bars that lie.
 *
 * `unit` is that of the values; null is no value. `unfinished` are the places of bars that hold a part of their value.
 */
export interface BarData {
  kind: "bars";
  title: string;
  unit: string;
  upright: boolean;
  labels: string[];
  values: (number | null)[];
  unfinished: number[];
}

/**
 * `counts[i]` values from `edges[i]` to `edges[i + 1]`; `unit` is that of the edges.
 */
export interface HistogramData {
  kind: "histogram";
  title: string;
  unit: string;
  edges: number[];
  counts: number[];
}

export type ChartData = LineData | BarData | HistogramData;
