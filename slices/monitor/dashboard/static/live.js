"use strict";
// Keeps the page current without taking focus, scroll or open parts from its reader.

const SCHEME_NAMES = { system: "system", light: "light", dark: "dark" };

function showScheme() {
  document.getElementById("scheme-name").textContent = SCHEME_NAMES[storedScheme()];
}
document.getElementById("scheme").addEventListener("click", () => {
  const next = SCHEMES[(SCHEMES.indexOf(storedScheme()) + 1) % SCHEMES.length];
  try {
    localStorage.setItem("scheme", next);
  } catch {
    // Without storage the choice holds for this page.
  }
  useScheme(next);
  showScheme();
  document.dispatchEvent(new Event("schemechange"));
});
showScheme();

Idiomorph.defaults.callbacks.beforeNodeMorphed = (shown, fresh) => {
  if (!(shown instanceof Element)) return true;
  if (shown.classList.contains("ask")) return false; // what is being chosen
  if (!shown.classList.contains("plot")) return true;
  if (!(fresh instanceof Element) || shown.id !== fresh.id) return true;
  for (const name of ["data-address", "data-stamp", "aria-label"]) {
    shown.setAttribute(name, fresh.getAttribute(name));
  }
  return false;
};
Idiomorph.defaults.callbacks.beforeAttributeUpdated = (name, element) =>
  !(name === "open" && element.tagName === "DETAILS");

const lost = document.getElementById("lost");
let answered = new Date();

function time(moment) {
  return moment.toLocaleTimeString("en-GB", { timeZone: "America/New_York" });
}
function sayLost(reason) {
  const text = `${reason} What you see is from ${time(answered)} New York or before.`;
  if (lost.textContent !== text) lost.textContent = text;
  lost.hidden = false;
}
document.body.addEventListener("htmx:afterOnLoad", (event) => {
  if (!event.detail.successful && event.detail.xhr.status >= 400) return;
  answered = new Date();
  lost.hidden = true;
});
document.body.addEventListener("htmx:sendError", () => sayLost("The dashboard does not answer."));
document.body.addEventListener("htmx:timeout", () => sayLost("The dashboard does not answer."));
document.body.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  if (status === 401) sayLost("The password is no longer known; load this page again.");
  else if (status === 403) sayLost("This page is older than the dashboard; load it again.");
  else sayLost(`The dashboard has a problem: ${event.detail.xhr.responseText.slice(0, 300)}`);
});

// A page nobody looks at asks for nothing, and catches up when it is looked at again.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  if (document.hidden && event.target.id === "live") event.preventDefault();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) htmx.trigger("#live", "wake");
});

// The button that was pressed is gone afterwards: its alert is read out in its place.
document.body.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.target;
  if (form.dataset?.after) document.getElementById(form.dataset.after)?.focus();
});
