/**
 * The text editor: a textarea with line numbers, marks on lines with errors, and a copy of unsaved work in the browser.
 *
 * `<div data-editor="KEY"><textarea></textarea></div>`; KEY names the copy, which `data-editor-done="KEY"` on
 * a later page forgets. Tab keeps moving the focus, so that the keyboard can leave; Ctrl/Cmd+S submits the form.
 */

interface Parts {
  box: HTMLElement;
  area: HTMLTextAreaElement;
  gutter: HTMLElement;
  saved: string;
}

const PREFIX = "cairn:draft:";

function numbers({ box, area, gutter }: Parts): void {
  const wrong = new Set((box.dataset.errors ?? "").split(",").map(Number));
  const count = area.value.split("\n").length;
  const key = `${count}:${box.dataset.errors ?? ""}`;
  if (gutter.dataset.key === key) return;
  gutter.dataset.key = key;
  gutter.replaceChildren(
    ...Array.from({ length: count }, (_, index) => {
      const line = document.createElement("span");
      line.textContent = String(index + 1);
      if (wrong.has(index + 1)) line.className = "wrong";
      return line;
    }),
  );
}

function keep({ box, area, saved }: Parts): void {
  const key = PREFIX + (box.dataset.editor ?? "");
  if (area.value === saved) localStorage.removeItem(key);
  else localStorage.setItem(key, area.value);
}

function restore(parts: Parts): void {
  const kept = localStorage.getItem(PREFIX + (parts.box.dataset.editor ?? ""));
  if (kept === null || kept === parts.area.value) return;
  const offer = parts.box.parentElement?.querySelector<HTMLElement>("[data-editor-restore]");
  if (!offer) return;
  offer.hidden = false;
  offer.addEventListener("click", () => {
    parts.area.value = kept;
    offer.hidden = true;
    parts.area.dispatchEvent(new Event("input", { bubbles: true }));
    parts.area.focus();
  });
}

function pressed(event: KeyboardEvent, area: HTMLTextAreaElement): void {
  if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  area.form?.requestSubmit(area.form.querySelector<HTMLButtonElement>("[data-save]"));
}

function attachEditor(box: HTMLElement): void {
  const area = box.querySelector("textarea");
  if (!area) return;
  const gutter = document.createElement("div");
  gutter.className = "editor-gutter";
  gutter.setAttribute("aria-hidden", "true");
  box.prepend(gutter);
  const parts: Parts = { box, area, gutter, saved: area.defaultValue };
  let submitted = false;
  area.addEventListener("input", () => {
    numbers(parts);
    keep(parts);
  });
  area.addEventListener("scroll", () => (gutter.scrollTop = area.scrollTop));
  area.addEventListener("keydown", (event) => pressed(event, area));
  area.form?.addEventListener("submit", (event) => {
    if (!(event.submitter as HTMLButtonElement | null)?.formTarget) submitted = true;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!submitted && area.isConnected && area.value !== parts.saved) event.preventDefault();
  });
  new MutationObserver(() => numbers(parts)).observe(box, { attributeFilter: ["data-errors"] });
  numbers(parts);
  restore(parts);
}

/** Puts the cursor on a line and column of the page's editor, both counted from 1, and shows it in the middle. */
export function jumpTo(line: number, column: number): void {
  const area = document.querySelector<HTMLTextAreaElement>("[data-editor] textarea");
  if (!area) return;
  const lines = area.value.split("\n");
  const start = lines.slice(0, line - 1).reduce((sum, text) => sum + text.length + 1, 0);
  const end = start + (lines[line - 1] ?? "").length;
  area.focus();
  area.setSelectionRange(Math.min(start + column - 1, end), end);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight) || 20;
  area.scrollTop = Math.max(0, (line - 1) * height - area.clientHeight / 2);
}

export function attachEditors(root: ParentNode): void {
  for (const done of root.querySelectorAll<HTMLElement>("[data-editor-done]")) {
    localStorage.removeItem(PREFIX + (done.dataset.editorDone ?? ""));
  }
  for (const box of root.querySelectorAll<HTMLElement>("[data-editor]:not([data-attached])")) {
    box.dataset.attached = "";
    attachEditor(box);
  }
}
