import { useEffect, useId, useRef, useState } from "react";

import { type ChartData, fetchChart, formatter } from "./data";
import { init, options } from "./echarts";

function Drawing({ data }: { data: ChartData }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const chart = init(box.current);
    const draw = () => chart.setOption(options(data), true);
    const scheme = window.matchMedia("(prefers-color-scheme: dark)");
    const resized = new ResizeObserver(() => chart.resize());
    draw();
    resized.observe(box.current);
    document.addEventListener("cairn:theme", draw);
    scheme.addEventListener("change", draw);
    return () => {
      resized.disconnect();
      document.removeEventListener("cairn:theme", draw);
      scheme.removeEventListener("change", draw);
      chart.dispose();
    };
  }, [data]);
  return <div ref={box} className="chart-box" role="img" aria-label={`${data.title}. The table shows the same figures.`} />;
}

function Table({ data }: { data: ChartData }) {
  const format = formatter(data.unit);
  return (
    <div className="chart-table" tabIndex={0} role="region" aria-label={data.title}>
      <table className="grid-table">
        <thead>
          <tr>
            <th scope="col">Week of</th>
            {data.series.map((series) => (
              <th scope="col" className="num" key={series.name}>
                {series.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {data.labels.map((label, row) => (
            <tr key={label}>
              <th scope="row">{label}</th>
              {data.series.map((series) => (
                <td className="num" key={series.name}>
                  {format.format(series.values[row] ?? 0)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Toggle({ table, onChange }: { table: boolean; onChange: (table: boolean) => void }) {
  return (
    <div className="segmented" role="group" aria-label="Show as">
      <button type="button" aria-pressed={!table} onClick={() => onChange(false)}>
        Chart
      </button>
      <button type="button" aria-pressed={table} onClick={() => onChange(true)}>
        Table
      </button>
    </div>
  );
}

/** A chart of one address, with a switch to the same figures as a table. */
export function ChartIsland({ source }: { source: string }) {
  const [data, setData] = useState<ChartData | null>(null);
  const [problem, setProblem] = useState("");
  const [table, setTable] = useState(false);
  const heading = useId();
  useEffect(() => {
    const abort = new AbortController();
    fetchChart(source, abort.signal).then(setData, (error: Error) => {
      if (!abort.signal.aborted) setProblem(error.message);
    });
    return () => abort.abort();
  }, [source]);
  if (problem) return <p className="chart-note">The chart could not be loaded. {problem} Reload the page to try again.</p>;
  if (!data) return <div className="chart-box" aria-busy="true" />;
  return (
    <section aria-labelledby={heading}>
      <header className="panel-head">
        <h2 id={heading}>{data.title}</h2>
        <Toggle table={table} onChange={setTable} />
      </header>
      <div className="panel-body">
        {data.labels.length === 0 ? (
          <p className="chart-note">Nothing to draw yet.</p>
        ) : table ? (
          <Table data={data} />
        ) : (
          <Drawing data={data} />
        )}
      </div>
    </section>
  );
}
