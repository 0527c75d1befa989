// @ts-check
/** Keeps the cards of one's own machines up to date while somebody looks at them. */

import { ask, paint, whileVisible } from "./ask.js";
import { duration, ending, memory, remark } from "./words.js";

/**
 * @typedef {{session: string, url: string, state: string, reason: string, viewers: number,
 *            expires: string, cpu: number, memory: number,
 *            used: {cpu: number, memory: number}|null}} Session
 */

const PAUSE = 5000; // milliseconds
const KEPT = 60; // values of a graph: five minutes
const SVG = "http://www.w3.org/2000/svg";
/** @type {Map<string, {at: number, cpu: number, load: number[], memory: number[]}>} */
const past = new Map();

/** Show how all machines do; tell whether nobody is signed in any more. */
async function look() {
  const answer = await ask("monitor");
  if (answer?.ok) show((await answer.json()).sessions);
  return answer?.status === 401;
}

/** @param {Session[]} sessions */
function show(sessions) {
  const here = (/** @type {Session} */ { session }) => (
    document.querySelector(`[data-machine="${session}"]`));
  if (sessions.some((one) => one.url && !here(one))) return location.reload(); // a new one of ours
  const cards = /** @type {NodeListOf<HTMLElement>} */ (
    document.querySelectorAll("[data-machine]"));
  if (cards.length) pictures();
  for (const card of cards) {
    const session = sessions.find((one) => one.session === card.dataset.machine);
    if (session) update(card, session);
    else over(card);
  }
}

/** @param {HTMLElement} card */
function over(card) {
  say(card, "[data-words]", "over; nothing of it is left", "state ended");
  card.querySelectorAll(".screen, .actions, .notice, .remark, details, form").forEach((part) => part.remove());
  delete card.dataset.machine;
}

/** @param {HTMLElement} card @param {Session} session */
function update(card, session) {
  const left = (Date.parse(session.expires) - Date.now()) / 1000;
  const state = session.state === "claimed" ? "being prepared" : session.state;
  say(card, "[data-words]", state
    + (session.viewers ? `, ${session.viewers} viewer${session.viewers === 1 ? "" : "s"}` : "")
    + (left > 0 ? `, ends in ${duration(left)}` : ""), `state ${session.state}`);
  remark(card.querySelector("[data-reason]"), session.reason);
  ending(card.querySelector("[data-ending]"), left);
  // What can be done with a parked one is other than with one that runs.
  if ((session.state === "parked") !== Boolean(card.querySelector("[data-parked]"))) {
    location.reload();
    return;
  }
  if (session.used) note(card, session, session.used);
}

/**
 * Note what a machine uses, and draw the last minutes of it.
 * @param {HTMLElement} card @param {Session} session @param {{cpu: number, memory: number}} used
 */
function note(card, session, used) {
  const at = performance.now() / 1000;
  const before = past.get(session.session) ?? { at, cpu: used.cpu, load: [], memory: [] };
  const load = at > before.at ? (used.cpu - before.cpu) / (at - before.at) / session.cpu : 0;
  if (at > before.at) before.load.push(Math.min(1, Math.max(0, load)));
  before.memory.push(Math.min(1, used.memory / session.memory));
  past.set(session.session, Object.assign(before, {
    at, cpu: used.cpu, load: before.load.slice(-KEPT), memory: before.memory.slice(-KEPT),
  }));
  if (before.load.length) {
    draw(card, "[data-cpu]", `${Math.round(100 * load)} % of ${session.cpu}`, before.load);
  }
  draw(card, "[data-memory]", `${memory(used.memory)}, promised ${memory(session.memory)}`,
       before.memory);
}

/**
 * @param {HTMLElement} card @param {string} place @param {string} text
 * @param {number[]} values   from 0 to 1
 */
function draw(card, place, text, values) {
  const element = card.querySelector(place);
  if (!element) return;
  const graph = document.createElementNS(SVG, "svg");
  const line = document.createElementNS(SVG, "polyline");
  graph.setAttribute("viewBox", `0 -1 ${KEPT} 22`);
  graph.setAttribute("preserveAspectRatio", "none");
  graph.setAttribute("class", "trend");
  graph.setAttribute("aria-hidden", "true");
  const first = KEPT + 1 - values.length;
  line.setAttribute("points",
                    values.map((value, n) => `${first + n},${(20 - 20 * value).toFixed(1)}`)
                      .join(" "));
  graph.append(line);
  element.replaceChildren(text, graph);
}

/** Show the screens of all machines; one without a picture may be young, paused or gone. */
async function pictures() {
  const answer = await ask("monitor?screens=mine");
  const { screens } = answer?.ok ? await answer.json() : { screens: {} };
  for (const [session, picture] of Object.entries(screens)) {
    const view = document.querySelector(`[data-machine="${session}"] [data-picture]`);
    const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
    if (view) await paint(view, new Blob([bytes], { type: "image/png" }));
  }
}

/** @param {HTMLElement} card @param {string} place @param {string} text @param {string} kind */
function say(card, place, text, kind) {
  const element = card.querySelector(place);
  if (!element) return;
  element.className = kind;
  if (element.textContent !== text) element.textContent = text;
}

if (document.querySelector("[data-machine], .empty")) whileVisible(look, PAUSE);
