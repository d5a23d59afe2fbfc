/** Shows a text without errors in the frame beside it: the form goes there by its own button. */
function look(): void {
  const button = document.querySelector<HTMLButtonElement>("button[data-look]");
  button?.form?.requestSubmit(button);
}

/** The list of problems that htmx brings carries the lines with errors; the editor shows them in its gutter. */
export function attachMarks(root: ParentNode): void {
  const list = root instanceof HTMLElement && root.id === "problems" ? root : root.querySelector<HTMLElement>("#problems");
  const editor = document.querySelector<HTMLElement>("[data-editor][data-errors]");
  if (list && editor) editor.dataset.errors = list.dataset.lines ?? "";
  if (list && !list.dataset.lines) look();
}
