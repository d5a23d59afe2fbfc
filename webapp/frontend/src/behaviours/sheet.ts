/**
 * Sheets over the page: a native dialog opens when htmx has brought its content, and is empty once it is closed.
 *
 * What was pressed in an open sheet is there again in its new content, and keeps the focus.
 */

function brought(event: Event): void {
  const dialog = (event.target as HTMLElement).closest<HTMLDialogElement>("dialog.sheet");
  if (!dialog) return;
  if (!dialog.open) dialog.showModal();
  else document.getElementById((event as CustomEvent).detail.requestConfig.elt.id)?.focus();
}

function clicked(event: MouseEvent): void {
  const target = event.target as HTMLElement;
  const dialog = target.closest<HTMLDialogElement>("dialog.sheet");
  if (target.closest("[data-sheet-close]") || target === dialog) dialog?.close();
}

/** What is left in a closed sheet would be sent with the next form around it. */
function closed(event: Event): void {
  const dialog = event.target as HTMLElement;
  if (dialog.matches("dialog.sheet")) dialog.querySelector("[id$='-body']")?.replaceChildren();
}

export function attachSheets(): void {
  document.addEventListener("htmx:afterSettle", brought);
  document.addEventListener("click", clicked);
  document.addEventListener("close", closed, true);
}
