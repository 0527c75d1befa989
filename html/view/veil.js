// @ts-check
/** What lies over the screen while there is no connection: why, in words, and the way back. */

import { part, say, show } from "../elements.js";

/** @type {Record<string, [string, string, string]>} title, words, the button's label */
const WORDS = {
  waiting: ["Your machine", "It is ready to be opened.", "Connect"],
  connecting: ["Connecting", "The screen comes in a moment.", ""],
  starting: ["Starting", "The machine is being started; its screen comes in a moment.", ""],
  asking: ["Token", "Type the token that belongs to this address.", ""],
  lost: ["Connection lost", "The machine goes on. Trying to connect again …", "Try now"],
  away: ["Connection lost", "The server does not answer. Trying to connect again …", "Try now"],
  elsewhere: ["Opened elsewhere", "The machine is shown in another window, and this kind only in "
    + "one at a time.", "Show it here"],
  parked: ["Parked", "It was saved while nobody looked, and cannot go on now.", "Try again"],
  stuck: ["Parked", "It was saved while nobody looked, and cannot go on.", ""],
  over: ["This machine is over", "Nothing of it is left.", ""],
  nowhere: ["No machine", "This address names none. It may have been copied in part.", ""],
};
const STATES = {
  waiting: "Not connected", asking: "Waiting for the token", over: "Over",
  nowhere: "No machine", parked: "Parked", stuck: "Parked", connected: "Connected",
};

/**
 * Show a state; nothing lies over the screen when connected.
 * @param {string} state @param {string} words more about it, or nothing
 * @param {boolean} pages whether there are other pages to go to
 */
export function veil(state, words, pages) {
  document.body.dataset.state = state;
  say("state", STATES[/** @type {keyof typeof STATES} */ (state)] ?? WORDS[state]?.[0] ?? state);
  show("veil", state !== "connected");
  show("ask", state === "asking");
  const [title, usual, label] = WORDS[state] ?? ["", "", ""];
  const ended = state === "over";
  const button = ended && !words ? "Look again" : label;
  say("veil-title", title);
  say("veil-words", ended && words ? `It ended: ${words}. ${usual}` : words || usual);
  say("connect", button);
  show("connect", Boolean(button));
  show("mine", pages && (ended || state === "nowhere"));
  show("another", pages && ended);
  if (state === "asking") part("token")?.focus();
  else if (ended) part("mine")?.focus();
  else if (button && state !== "lost" && state !== "away") part("connect")?.focus();
}
