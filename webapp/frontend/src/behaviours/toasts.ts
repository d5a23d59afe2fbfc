/** Short notices: the server sends `HX-Trigger: {"toast": {"text": …, "kind": …}}`, a live region reads them out. */

interface Toast {
  text: string;
  kind?: "info" | "success" | "error";
}

const SHOWN_FOR = 6000;

function show({ text, kind = "info" }: Toast): void {
  const region = document.getElementById("toasts");
  if (!region) return;
  const item = document.createElement("div");
  item.className = `toast-item toast-${kind}`;
  item.textContent = text;
  region.append(item);
  window.setTimeout(() => item.remove(), SHOWN_FOR);
}

function explain(event: Event): void {
  const { xhr } = (event as CustomEvent<{ xhr: XMLHttpRequest }>).detail;
  const reference = xhr.getResponseHeader("X-Request-ID");
  const text = xhr.getResponseHeader("X-Cairn-Error") ?? "The server could not answer. Try again in a moment.";
  show({ text: reference ? `${decodeURIComponent(text)} (reference ${reference})` : text, kind: "error" });
}

export function attachToasts(): void {
  document.addEventListener("toast", (event) => show((event as CustomEvent<Toast>).detail));
  document.addEventListener("htmx:responseError", explain);
  document.addEventListener("htmx:sendError", () =>
    show({ text: "Cairn cannot be reached. What you typed is still here.", kind: "error" }),
  );
}
