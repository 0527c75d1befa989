// @ts-check
/**
 * The form of index.html: filled from `GET create`, sent once.
 *
 * A site may delete any element: what is missing is left alone, and the service takes its default.
 */

import { note, recall, remember } from "./choices.js";
import { part, say, usual } from "./elements.js";
import {
  chosen, showEntrance, showFree, showMachines, showOptions, showPeople, showSizes, showTickets,
} from "./facts.js";
import { showInstant } from "./instant.js";

const form = /** @type {HTMLFormElement|null} */ (part("form"));
const choices = recall();
/** @type {import("./facts.js").Facts|null} */
let facts = null;
let asked = 0;
/** The timer that runs while the machine is being started, or 0. */
let sending = 0;

/** Ask the service what can be had, and show it; what the person chose meanwhile stays. */
async function load() {
  asked = Date.now();
  try {
    const answer = await fetch("create", {
      headers: { Accept: "application/json" }, cache: "no-store",
      signal: AbortSignal.timeout(15000),
    });
    // Where Apache asks who one is, it may be Apache that refuses.
    const now = await answer.json().catch(() => ({}));
    if (!answer.ok) {
      throw new Error(now.message || (answer.status === 401
        ? "You are not signed in any more; please load this page again." : ""));
    }
    const shown = JSON.stringify([facts?.machines, facts?.person]);
    facts = now;
    showEntrance(now);
    showTickets(now);
    showPeople(now);
    // Cards that did not change stay, and with them the keyboard's place.
    if (shown !== JSON.stringify([now.machines, now.person])) showMachines(now, choices);
    showSizes(now, choices);
    showOptions(now, choices);
    showFree(now.free);
  } catch (error) {
    const reason = error instanceof Error && error.name === "Error" ? error.message : "";
    say("free", reason || "The service does not answer; please load this page again.");
    part("free")?.setAttribute("data-full", "");
  }
  update();
}

/** Let the button work when nothing is lacking, and say what is lacking otherwise. */
function update() {
  if (facts) showInstant(facts, choices, chosen(facts));
  const button = part("start");
  if (!button) return;
  const full = facts?.free.sessions === 0;
  const accepted = part("terms")?.checked ?? true;
  const words = usual(button);
  button.disabled = Boolean(sending) || full || !accepted;
  button.textContent = sending ? "Starting your machine…" : words;
  button.toggleAttribute("data-busy", Boolean(sending));
  say("why", sending ? "" : full ? facts?.free.reason || "No machine can be started now."
    : accepted ? "" : "Accept the terms of use to start.");
}

/** A word that is new at each opening of the form: the same form sent twice is one session. */
function renew() {
  const input = /** @type {HTMLInputElement|null} */ (form?.querySelector("input[name=form]"));
  if (!input) return;
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  input.value = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  input.disabled = false;
}

form?.addEventListener("change", (event) => {
  const input = /** @type {HTMLInputElement} */ (event.target);
  const machine = facts && chosen(facts);
  note(choices, input, machine?.name);
  if (facts && input.name === "machine") showSizes(facts, choices);
  update();
});

form?.addEventListener("submit", (event) => {
  if (sending) return event.preventDefault();
  remember(choices);
  // A navigation that was stopped by the person must not leave a dead button.
  sending = window.setTimeout(() => { sending = 0; update(); }, 60000);
  update();
});

form?.addEventListener("formdata", ({ formData }) => {
  // No limit is what the service takes by itself; it has no number.
  if (formData.get("lifetime") === "0") formData.delete("lifetime");
});

// Comes also when the page is taken from the browser's history, with everything as it was left.
window.addEventListener("pageshow", (event) => {
  clearTimeout(sending);
  sending = 0;
  renew();
  update();
  if (event.persisted) load();
});

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible" && Date.now() - asked > 10000) load();
});
window.setInterval(() => {
  if (document.visibilityState === "visible" && facts?.free.sessions === 0) load();
}, 15000);

renew();
update();
load();
