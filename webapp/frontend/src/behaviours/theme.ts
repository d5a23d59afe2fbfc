/** The choice between the light skin, the dark one and that of the system, kept in the cookie that the server reads. */
import type { Alpine } from "alpinejs";

const YEAR = 365 * 24 * 3600;

function apply(theme: string): void {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  const age = theme === "system" ? 0 : YEAR;
  document.cookie = `data-theme=${theme}; path=/; max-age=${age}; samesite=lax`;
  document.dispatchEvent(new CustomEvent("cairn:theme"));
}

export function registerTheme(alpine: Alpine): void {
  alpine.data("theme", () => ({
    current: document.documentElement.dataset.theme ?? "system",
    choose(this: { current: string; $el: HTMLElement }) {
      this.current = this.$el.dataset.choice ?? "system";
      apply(this.current);
    },
    chosen(this: { current: string; $el: HTMLElement }) {
      return String(this.$el.dataset.choice === this.current);
    },
  }));
}
