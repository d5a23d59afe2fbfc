/** Width buttons beside a preview: `<button data-frame="preview" data-width="phone">`. */

function choose(button: HTMLElement): void {
  const frame = document.getElementById(button.dataset.frame ?? "");
  if (!frame) return;
  frame.dataset.width = button.dataset.width ?? "desktop";
  for (const other of document.querySelectorAll<HTMLElement>(`[data-frame="${frame.id}"]`)) {
    other.setAttribute("aria-pressed", String(other === button));
  }
}

export function attachFrames(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLElement>("button[data-frame]:not([data-attached])")) {
    button.dataset.attached = "";
    button.addEventListener("click", () => choose(button));
  }
}
