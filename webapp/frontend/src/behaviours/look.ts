/**
 * The look beside a text: the form goes to the frame by its own button, as often as what it shows has changed.
 *
 * `<button data-look>` submits; `<button data-look-view="dark">` chooses a view, `<input data-look-again>` whose it is.
 */

/** Each look goes to a frame of its own, or the browser's Back would go through them all. */
function renewed(frame: HTMLElement | null): void {
  frame?.replaceWith(frame.cloneNode(true));
}

export function look(): void {
  const button = document.querySelector<HTMLButtonElement>("button[data-look]");
  if (!button?.form) return;
  renewed(document.getElementById(button.formTarget));
  button.form.requestSubmit(button);
}

function choose(button: HTMLButtonElement): void {
  const input = button.form?.elements.namedItem("view");
  if (input instanceof HTMLInputElement) input.value = button.dataset.lookView ?? "";
  for (const other of document.querySelectorAll<HTMLElement>("[data-look-view]")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
  look();
}

function entered(event: KeyboardEvent): void {
  if (event.key !== "Enter") return;
  event.preventDefault(); // or the form would be saved
  look();
}

export function attachLook(root: ParentNode): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-look-view]:not([data-attached])")) {
    button.dataset.attached = "";
    button.addEventListener("click", () => choose(button));
  }
  for (const input of root.querySelectorAll<HTMLInputElement>("input[data-look-again]:not([data-attached])")) {
    input.dataset.attached = "";
    input.addEventListener("change", look);
    input.addEventListener("keydown", entered);
  }
}
