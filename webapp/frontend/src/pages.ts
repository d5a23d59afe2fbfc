/** The bundle of every page for marketers: htmx, Alpine, small behaviours, and the loader of islands. */
import "./styles/app.css";

import Alpine from "@alpinejs/csp";
import htmx from "htmx.org";

import { attachEditors } from "./behaviours/editor";
import { attachFields } from "./behaviours/fields";
import { attachFrames } from "./behaviours/frame";
import { attachLook } from "./behaviours/look";
import { attachCopies, attachLive, attachMarks } from "./behaviours/marks";
import { attachNavigation } from "./behaviours/navigation";
import { attachSheets } from "./behaviours/sheet";
import { registerTheme } from "./behaviours/theme";
import { attachToasts } from "./behaviours/toasts";
import { mountIslands } from "./islands";

htmx.config.allowEval = false;
htmx.config.allowScriptTags = false;
htmx.config.includeIndicatorStyles = false;
htmx.config.selfRequestsOnly = true;
htmx.config.historyCacheSize = 0;

document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector<HTMLMetaElement>('meta[name="csrf-token"]')?.content;
  if (token) (event as CustomEvent).detail.headers["X-CSRFToken"] = token;
});

function attach(root: ParentNode): void {
  attachEditors(root);
  attachFields(root);
  attachFrames(root);
  attachLook(root);
  attachMarks(root);
  attachLive(root);
  attachCopies(root);
  mountIslands(root);
}

attachToasts();
attachNavigation();
attachSheets();
attach(document);
htmx.onLoad((element) => attach(element as HTMLElement));

registerTheme(Alpine);
Alpine.start();
