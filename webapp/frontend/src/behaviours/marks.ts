import { look } from "./look";

/** A form with `data-live` shows itself anew whenever somebody has stopped typing for a moment. */
export function attachLive(root: ParentNode): void {
  const form = root.querySelector<HTMLFormElement>("form[data-live]:not([data-attached])");
  if (!form) return;
  form.dataset.attached = "";
  let timer = 0;
  form.addEventListener("input", () => {
    window.clearTimeout(timer);
    timer = window.setTimeout(look, 400);
  });
  look();
}

/** `<button data-copy="ID">` copies the value of the field, and says so for a moment. */
export function attachCopies(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]:not([data-attached])")) {
    button.dataset.attached = "";
    button.addEventListener("click", () => copy(button));
  }
}

async function copy(button: HTMLButtonElement): Promise<void> {
  const field = document.getElementById(button.dataset.copy ?? "") as HTMLTextAreaElement | null;
  if (!field) return;
  field.select();
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(field.value);
    button.textContent = "Copied";
  } catch {
    button.textContent = "Press Ctrl+C"; // without https browsers let no script copy; the text is selected
  }
  window.setTimeout(() => (button.textContent = label), 2000);
}

/** The list of problems that htmx brings carries the lines with errors; the editor shows them in its gutter. */
export function attachMarks(root: ParentNode): void {
  const list = root instanceof HTMLElement && root.id === "problems" ? root : root.querySelector<HTMLElement>("#problems");
  const editor = document.querySelector<HTMLElement>("[data-editor][data-errors]");
  if (list && editor) editor.dataset.errors = list.dataset.lines ?? "";
  if (list && !list.dataset.lines) look();
}
