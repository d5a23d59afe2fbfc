/** The phone's menu (a native dialog, so that focus stays inside) and links that jump to a line of the editor. */
import { jumpTo } from "./editor";

function menu(): HTMLDialogElement | null {
  return document.querySelector<HTMLDialogElement>("dialog#menu");
}

function clicked(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  if (target.closest("[data-menu-open]")) menu()?.showModal();
  if (target.closest("[data-menu-close]") || target === menu()) menu()?.close();
  const line = target.closest<HTMLElement>("[data-jump-line]");
  if (line) {
    event.preventDefault();
    jumpTo(Number(line.dataset.jumpLine), Number(line.dataset.jumpColumn ?? 1));
  }
}

export function attachNavigation(): void {
  document.addEventListener("click", clicked);
}
