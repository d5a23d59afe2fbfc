/** Only the parts of ECharts that the reports draw with; the canvas renderer writes no inline styles into the page. */
import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent, TooltipComponent } from "echarts/components";
import * as echarts from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

import { type ChartData, formatter } from "./data";

echarts.use([BarChart, LineChart, GridComponent, LegendComponent, TooltipComponent, CanvasRenderer]);

function token(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function palette(): string[] {
  return [1, 2, 3, 4, 5, 6].map((index) => token(`--chart-${index}`));
}

/** The whole drawing as ECharts options, in the colours of the page's skin. */
export function options(data: ChartData): echarts.EChartsCoreOption {
  const format = formatter(data.unit);
  const ink = token("--chart-ink");
  const text = { color: ink, fontFamily: token("--font-sans"), fontSize: 12 };
  return {
    animationDuration: 350,
    color: palette(),
    textStyle: text,
    grid: { left: 4, right: 8, top: 36, bottom: 4, containLabel: true },
    legend: { type: "scroll", top: 0, left: 0, right: 0, icon: "roundRect", itemWidth: 10, itemHeight: 10, itemGap: 18, textStyle: text },
    tooltip: {
      trigger: "axis",
      renderMode: "richText",
      backgroundColor: token("--chart-surface"),
      borderColor: token("--chart-grid"),
      textStyle: { ...text, color: token("--chart-strong") },
      valueFormatter: (value: unknown) => format.format(Number(value)),
    },
    xAxis: {
      type: "category",
      data: data.labels,
      axisTick: { show: false },
      axisLine: { lineStyle: { color: token("--chart-grid") } },
      axisLabel: { ...text, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      splitLine: { lineStyle: { color: token("--chart-grid") } },
      axisLabel: { ...text, formatter: (value: number) => format.format(value) },
    },
    series: data.series.map((series) => ({
      name: series.name,
      type: series.kind,
      stack: series.stack ?? undefined,
      data: series.values,
      barMaxWidth: 28,
      itemStyle: { borderRadius: series.kind === "bar" ? [3, 3, 0, 0] : 0 },
      smooth: 0.2,
      symbol: "none",
      lineStyle: { width: 2 },
    })),
  };
}

export const init = echarts.init;
