// @ts-check
/** Keys that this computer, the browser or a phone has not got or keeps for itself. */

import { part } from "../elements.js";

/** @type {Record<string, [number, string]>} X11 keysym and the key's place (KeyboardEvent.code) */
const KEYS = {
  Ctrl: [0xffe3, "ControlLeft"], Alt: [0xffe9, "AltLeft"], Shift: [0xffe1, "ShiftLeft"],
  Super: [0xffeb, "MetaLeft"], AltGr: [0xfe03, "AltRight"], Esc: [0xff1b, "Escape"],
  Tab: [0xff09, "Tab"], Enter: [0xff0d, "Enter"], Backspace: [0xff08, "Backspace"],
  Del: [0xffff, "Delete"], Ins: [0xff63, "Insert"], Print: [0xff61, "PrintScreen"],
  Home: [0xff50, "Home"], End: [0xff57, "End"], "Page up": [0xff55, "PageUp"],
  "Page down": [0xff56, "PageDown"], "←": [0xff51, "ArrowLeft"], "↑": [0xff52, "ArrowUp"],
  "→": [0xff53, "ArrowRight"], "↓": [0xff54, "ArrowDown"],
  W: [0x77, "KeyW"], T: [0x74, "KeyT"], N: [0x6e, "KeyN"],
  ...Object.fromEntries(Array.from({ length: 12 }, (_, at) => (
    [`F${at + 1}`, [0xffbe + at, `F${at + 1}`]]))),
};
const SPOKEN = { "←": "Left", "↑": "Up", "→": "Right", "↓": "Down" };
const TOGETHER = ["Ctrl Alt Del", "Ctrl Alt Backspace", "Ctrl Alt F1", "Ctrl Alt F2",
  "Ctrl Alt F7", "Alt Tab", "Alt F4", "Ctrl W", "Ctrl T", "Ctrl N", "Super"];
const HELD = ["Ctrl", "Alt", "Shift", "Super", "AltGr"];
const SINGLE = ["Esc", "Tab", "Enter", "Backspace", "Del", "Ins", "Print", "←", "↑", "→", "↓",
  "Home", "End", "Page up", "Page down", ...Array.from({ length: 12 }, (_, at) => `F${at + 1}`)];

/**
 * Press keys one after the other, release them in the opposite order.
 * @param {any} rfb @param {string[]} names
 */
function strike(rfb, names) {
  for (const name of names) rfb?.sendKey(...KEYS[name], true);
  for (const name of names.toReversed()) rfb?.sendKey(...KEYS[name], false);
}

/** Let go of every modifier. @param {any} rfb */
export function releaseAll(rfb) {
  for (const name of HELD) rfb?.sendKey(...KEYS[name], false);
  for (const [keysym, code] of [[0xffe4, "ControlRight"], [0xffea, "AltRight"],
    [0xffe2, "ShiftRight"]]) rfb?.sendKey(keysym, code, false);
  for (const button of document.querySelectorAll("#held [aria-pressed=true]")) {
    button.setAttribute("aria-pressed", "false");
  }
}

/**
 * Fill the dialog of keys.
 * @param {() => any} rfb the connection of this moment
 */
export function offerKeys(rfb) {
  fill("combinations", TOGETHER, (names) => {
    strike(rfb(), names);
    part("keys").close();
  });
  fill("single", SINGLE, (names) => strike(rfb(), names));
  fill("held", HELD, ([name], button) => {
    const down = button.getAttribute("aria-pressed") !== "true";
    rfb()?.sendKey(...KEYS[name], down);
    button.setAttribute("aria-pressed", String(down));
  });
  for (const button of part("held").children) button.setAttribute("aria-pressed", "false");
}

/**
 * @param {string} id @param {string[]} labels
 * @param {(names: string[], button: HTMLButtonElement) => void} act
 */
function fill(id, labels, act) {
  part(id).replaceChildren(...labels.map((label) => {
    const button = document.createElement("button");
    const names = label in KEYS ? [label] : label.split(" ");
    button.type = "button";
    button.className = "quiet";
    button.textContent = names.join(" + ");
    if (label in SPOKEN) button.ariaLabel = SPOKEN[/** @type {keyof typeof SPOKEN} */ (label)];
    button.addEventListener("click", () => act(names, button));
    return button;
  }));
}
