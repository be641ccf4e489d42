"use strict";
// Runs before the page is drawn, so that it is never drawn in the other colours first.
const SCHEMES = ["system", "light", "dark"];
function storedScheme() {
  try {
    const stored = localStorage.getItem("scheme");
    return SCHEMES.includes(stored) ? stored : "system";
  } catch {
    return "system";
  }
}
function useScheme(scheme) {
  if (scheme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = scheme;
}
useScheme(storedScheme());
