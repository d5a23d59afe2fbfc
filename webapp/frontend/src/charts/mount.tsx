import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import type { Mount } from "../islands";
import { ChartIsland } from "./ChartIsland";

export const mount: Mount = (element, source) => {
  createRoot(element).render(
    <StrictMode>
      <ChartIsland source={source} />
    </StrictMode>,
  );
};
