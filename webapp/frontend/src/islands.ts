/** React islands, loaded only on the pages that carry them: `<div data-island="charts" data-src="/…">`. */

export type Mount = (element: HTMLElement, source: string) => void;

const islands: Record<string, () => Promise<{ mount: Mount }>> = {
  charts: () => import("./charts/mount"),
};

async function load(element: HTMLElement): Promise<void> {
  const island = islands[element.dataset.island ?? ""];
  if (!island) return;
  const { mount } = await island();
  mount(element, element.dataset.src ?? "");
}

/** Mounts each island below `root` once, also when htmx brings the same element again. */
export function mountIslands(root: ParentNode): void {
  for (const element of root.querySelectorAll<HTMLElement>("[data-island]:not([data-mounted])")) {
    element.dataset.mounted = "";
    void load(element);
  }
}
