// The npm bundle behind <eop-chart>: uPlot, drawn in our colors. Built by `npm run build`.
import uPlot from "uplot";

const HEIGHT = 240;

// Clock of 24 hours; the day stands under the first tick of each day. See uPlot's axis templates.
const TICKS = [
  [3600 * 24 * 365, "{YYYY}", null, null, null, null, null, null, 1],
  [3600 * 24 * 28, "{MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [3600 * 24, "{D} {MMM}", "\n{YYYY}", null, null, null, null, null, 1],
  [60, "{HH}:{mm}", "\n{D} {MMM} {YYYY}", null, "\n{D} {MMM}", null, null, null, 1],
];

// As wide as the longest label, so that a million is not cut to its zeros.
function widthOfLabels(chart, labels) {
  const longest = (labels ?? []).reduce((most, text) => Math.max(most, String(text).length), 0);
  return Math.max(56, 20 + 7.5 * longest);
}

/**
 * Draw time series.
 * data: labels of the series, times in Unix seconds, one array of numbers or nulls a series.
 * Returns an object with destroy().
 */
export function drawChart(target, data, { kind, unit, width, colors, zone }) {
  const axis = { stroke: colors.text, font: colors.font, grid: { stroke: colors.grid, width: 1 }, ticks: { stroke: colors.grid, width: 1 } };
  const paths = kind === "step" ? uPlot.paths.stepped({ align: 1 })
    : kind === "bars" ? uPlot.paths.bars({ size: [0.7, 48] })
      : undefined;
  const options = {
    width: Math.max(width, 160),
    height: HEIGHT,
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
    series: [
      { label: "Time", value: "{D} {MMM} {YYYY} {HH}:{mm}" },
      ...data.labels.map((label, index) => ({
        label,
        stroke: colors.series[index % colors.series.length],
        fill: kind === "bars" ? colors.series[index % colors.series.length] : undefined,
        width: 2,
        // The second series differs by dashes as well as by color.
        dash: index % 2 ? [6, 4] : undefined,
        points: { show: false },
        paths,
        value: (_, value) => (value === null ? "–" : `${value.toLocaleString("en-US", { maximumFractionDigits: 2 })} ${unit}`.trim()),
      })),
    ],
    axes: [{ ...axis, values: TICKS }, { ...axis, size: widthOfLabels }],
    cursor: { drag: { x: true, y: false } },
  };
  return new uPlot(options, [data.times, ...data.series], target);
}
