// @ts-check
/**
 * The administrator's table: keeps up, sorts and filters by asking for the page again, and does to
 * the sessions that are ticked what a button says, all without leaving the page. Ticks, the focus
 * and what is being typed stay. Without it the same forms work as forms.
 */

import { ask, tell, whileVisible } from "./ask.js";
import { part } from "./elements.js";
import { local } from "./words.js";

/**
 * @typedef {{sessions: {session: string, name?: string, problem?: string}[], message?: string,
 *            hint?: string}} Told   what became of each session, or why of none
 */

const PAUSE = 10000; // milliseconds
const TYPING = 300; // milliseconds without a key before what was typed is looked for
const DONE = { stop: "stopped", extend: "extended", message: "told" };

/** @type {HTMLFormElement|null} */
const find = part("find");
/** @type {HTMLFormElement|null} */
const bulk = part("selected");
/** @type {HTMLInputElement|null} */
const all = part("all");
let turn = 0; // the answer that is waited for: an older one comes too late
let wait = 0;

/** @returns {HTMLInputElement[]} */
const boxes = () => [.../** @type {NodeListOf<HTMLInputElement>} */ (
  document.querySelectorAll("[data-table] input"))];

/** @param {HTMLElement|null} [button] the one that was pressed, else the one that says the order */
async function look(button = null) {
  const pressed = /** @type {HTMLButtonElement|null} */ (
    button ?? find?.querySelector("[data-show]") ?? null);
  const query = new URLSearchParams();
  for (const [name, value] of find ? new FormData(find) : []) if (value) query.set(name, String(value));
  if (pressed) query.set(pressed.name, pressed.value);
  if (query.get("sort") === "start") query.delete("sort");
  const address = query.size ? `monitor?${query}` : "monitor";
  const mine = ++turn;
  const answer = await ask(address, "text/html");
  if (!answer?.ok || mine !== turn) return;
  const text = await answer.text();
  if (mine !== turn) return;
  show(new DOMParser().parseFromString(text, "text/html"));
  history.replaceState(null, "", address);
}

/** @param {Document} page the same page as it is by now */
function show(page) {
  const table = document.querySelector("[data-table]");
  const now = page.querySelector("[data-table]");
  if (!table !== !now) return location.reload(); // the first session began, or the last ended
  for (const fresh of page.querySelectorAll("[data-fresh]")) {
    const name = fresh.getAttribute("data-fresh");
    const old = document.querySelector(`[data-fresh="${name}"]`);
    if (old && old.innerHTML !== fresh.innerHTML) old.innerHTML = fresh.innerHTML;
  }
  local(document.body);
  if (!table || !now) return;
  const order = page.querySelector("[data-show]");
  find.querySelector("[data-show]")?.setAttribute("value", order?.getAttribute("value") ?? "");
  now.querySelectorAll("thead th").forEach((head, n) => {
    const mine = table.querySelectorAll("thead th")[n];
    const sorted = head.getAttribute("aria-sort");
    if (sorted) mine.setAttribute("aria-sort", sorted);
    else mine.removeAttribute("aria-sort");
    mine.querySelector("button")?.setAttribute(
      "value", head.querySelector("button")?.getAttribute("value") ?? "");
  });
  arrange(/** @type {HTMLTableSectionElement} */ (table.querySelector("tbody")),
          /** @type {HTMLTableRowElement[]} */ ([...now.querySelectorAll("tbody tr")]));
  local(document.body);
  count();
}

/**
 * Make the rows those of the new page; one that was there is kept, with its tick.
 * @param {HTMLTableSectionElement} body @param {HTMLTableRowElement[]} rows
 */
function arrange(body, rows) {
  const before = new Map([...body.rows].map((row) => [row.dataset.session, row]));
  rows.forEach((fresh, n) => {
    const row = before.get(fresh.dataset.session);
    before.delete(fresh.dataset.session);
    if (row) {
      [...fresh.cells].slice(1).forEach((cell, at) => {
        if (cell.innerHTML !== row.cells[at + 1].innerHTML) row.cells[at + 1].replaceWith(cell);
      });
    }
    if (body.rows[n] !== (row ?? fresh)) body.insertBefore(row ?? fresh, body.rows[n] ?? null);
  });
  before.forEach((row) => row.remove());
}

/** Say how many are ticked, and let buttons be pressed when there are any. */
function count() {
  const ticked = boxes().filter((box) => box.checked).length;
  all.checked = ticked > 0 && ticked === boxes().length;
  all.indeterminate = ticked > 0 && !all.checked;
  bulk.querySelectorAll("button").forEach((button) => { button.disabled = !ticked; });
  const words = bulk.querySelector("[data-selected]");
  if (words) words.textContent = ticked ? `${ticked} selected` : "None selected";
}

/** @param {string} text */
function say(text) {
  const place = bulk.querySelector("[data-said]");
  if (place) place.textContent = text;
}

/** @param {HTMLButtonElement} button what is to be done to those that are ticked */
async function act(button) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(bulk, button)) body.append(name, String(value));
  button.dataset.busy = "";
  const answer = await tell(body);
  delete button.dataset.busy;
  /** @type {Told|null} */
  const told = answer?.facts ?? null;
  if (answer?.ok && told) {
    const failed = told.sessions.filter((one) => one.problem);
    const done = told.sessions.length - failed.length;
    const word = DONE[/** @type {keyof typeof DONE} */ (button.value)];
    say([`${done} ${word}.`, ...failed.map(({ session, name, problem }) => (
      `${name ?? session}: ${problem}`))].join(" "));
    button.closest("details")?.removeAttribute("open");
    bulk.querySelectorAll("input[name=text]").forEach((field) => {
      /** @type {HTMLInputElement} */ (field).value = "";
    });
  } else {
    say(told?.message ? [told.message, told.hint].join(" ") : "The server does not answer.");
  }
  look();
}

if (find && bulk && all) {
  find.addEventListener("submit", (event) => {
    event.preventDefault();
    look(event.submitter);
  });
  find.addEventListener("input", (event) => {
    window.clearTimeout(wait);
    const typed = event.target instanceof HTMLInputElement;
    wait = window.setTimeout(look, typed ? TYPING : 0);
  });
  bulk.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter;
    if (button instanceof HTMLButtonElement && !("busy" in button.dataset)) act(button);
  });
  document.addEventListener("change", (event) => {
    if (event.target === all) boxes().forEach((box) => { box.checked = all.checked; });
    count();
  });
  all.closest("label")?.removeAttribute("hidden");
  count();
}
if (document.querySelector("[data-fresh]")) window.setTimeout(whileVisible, PAUSE, look, PAUSE);
