/**
 * Fields for what stands in a text's front matter: `<input data-front="subject">` beside `[data-editor] textarea`.
 *
 * What is typed in one shows in the other at once; comments and all other lines stay. `<input type="file" data-files>`
 * names the files that are chosen under `attachments`.
 */
import { read, write, writeRaw } from "./front";

const ORDER = ["subject", "preheader", "from"];

function editor(): HTMLTextAreaElement | null {
  return document.querySelector<HTMLTextAreaElement>("[data-editor] textarea");
}

function shown(area: HTMLTextAreaElement, inputs: HTMLInputElement[]): void {
  for (const input of inputs) {
    if (input === document.activeElement) continue;
    const line = read(area.value, input.dataset.front ?? "");
    input.value = line.value;
    input.readOnly = !line.simple || area.readOnly;
    input.placeholder = line.simple ? (input.dataset.placeholder ?? "") : "It has several lines: change it in the text";
  }
}

function put(area: HTMLTextAreaElement, text: string): void {
  if (text === area.value) return;
  const { scrollTop } = area;
  area.value = text;
  area.scrollTop = scrollTop;
  area.dispatchEvent(new Event("input", { bubbles: true }));
}

function typed(area: HTMLTextAreaElement, input: HTMLInputElement): void {
  const key = input.dataset.front ?? "";
  const before = ORDER.slice(0, ORDER.indexOf(key)).reverse();
  if (!input.readOnly) put(area, write(area.value, key, input.value, before));
}

function chosen(area: HTMLTextAreaElement, input: HTMLInputElement): void {
  const kept = (input.dataset.files ?? "").split("\n").filter((name) => name !== "");
  const files = [...(input.files ?? [])].map((file) => file.name);
  const names = [...new Set([...kept, ...files])].map((name) => JSON.stringify(name));
  if (files.length > 0) put(area, writeRaw(area.value, "attachments", `[${names.join(", ")}]`, [...ORDER].reverse()));
}

export function attachFields(root: ParentNode): void {
  const area = editor();
  const inputs = [...root.querySelectorAll<HTMLInputElement>("input[data-front]:not([data-attached])")];
  if (!area || inputs.length === 0) return;
  for (const input of inputs) {
    input.dataset.attached = "";
    input.addEventListener("input", () => typed(area, input));
  }
  const files = root.querySelector<HTMLInputElement>("input[data-files]");
  files?.addEventListener("change", () => chosen(area, files));
  area.addEventListener("input", () => shown(area, inputs));
  shown(area, inputs);
}
