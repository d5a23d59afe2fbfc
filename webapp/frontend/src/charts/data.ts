/** What a chart's address answers with. Values are in `unit`: a currency code, or "" for plain numbers. */
export interface ChartData {
  title: string;
  unit: string;
  labels: string[];
  series: ChartSeries[];
}

export interface ChartSeries {
  name: string;
  kind: "bar" | "line";
  stack: string | null;
  values: number[];
}

export function formatter(unit: string): Intl.NumberFormat {
  if (!unit) return new Intl.NumberFormat("en");
  return new Intl.NumberFormat("en", { style: "currency", currency: unit, maximumFractionDigits: 0 });
}

export async function fetchChart(source: string, signal: AbortSignal): Promise<ChartData> {
  const response = await fetch(source, { headers: { Accept: "application/json" }, signal });
  if (!response.ok) throw new Error(`The server answered ${response.status}.`);
  return (await response.json()) as ChartData;
}
