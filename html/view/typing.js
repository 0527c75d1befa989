// @ts-check
/**
 * Text as keys: what the keyboard of a phone's screen writes, and texts that are typed.
 *
 * Such keyboards tell no keys, they change a text: words are guessed and replaced afterwards. So
 * the text is compared with what it was, and the difference typed.
 */

import { part } from "../elements.js";

const BACKSPACE = 0xff08;
const ENTER = 0xff0d;
const SHIFT = [0xffe1, "ShiftLeft"];
const SHIFTED = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;
const PAD = "x".repeat(64); // something to delete
/** @type {Record<string, number>} */
const NAMED = { ArrowLeft: 0xff51, ArrowUp: 0xff52, ArrowRight: 0xff53, ArrowDown: 0xff54,
  Escape: 0xff1b, Tab: 0xff09, Delete: 0xffff, Home: 0xff50, End: 0xff57 };

/**
 * Type a text. QEMU finds the keys of a US keyboard for the characters, but presses no Shift; it
 * drops those that such a keyboard has not.
 * @param {any} rfb @param {string} text
 */
export async function type(rfb, text) {
  const { default: keysyms } = await import("../novnc/core/input/keysymdef.js");
  for (const character of text.replace(/\r\n?/g, "\n")) {
    const keysym = { "\n": ENTER, "\t": NAMED.Tab }[character]
      ?? keysyms.lookup(character.codePointAt(0));
    const shifted = SHIFTED.test(character);
    if (shifted) rfb?.sendKey(...SHIFT, true);
    rfb?.sendKey(keysym);
    if (shifted) rfb?.sendKey(...SHIFT, false);
  }
}

/**
 * Have the button bring and hide the screen's keyboard.
 * @param {() => any} rfb the connection of this moment
 * @param {(on: boolean) => void} changed
 */
export function offerTyping(rfb, changed) {
  const button = part("type");
  const field = part("typed");
  button.hidden = navigator.maxTouchPoints === 0;
  button.addEventListener("pointerdown", (/** @type {Event} */ event) => event.preventDefault());
  button.addEventListener("click", () => {
    if (document.activeElement === field) field.blur();
    else field.focus();
  });
  const reset = () => { field.value = PAD; };
  for (const kind of ["focus", "blur"]) {
    field.addEventListener(kind, () => {
      reset();
      button.setAttribute("aria-pressed", String(kind === "focus"));
      changed(kind === "focus");
    });
  }
  let before = PAD;
  let turn = Promise.resolve(); // one change after the other
  field.addEventListener("input", (/** @type {InputEvent} */ event) => {
    const [was, now] = [[...before], [...field.value]];
    before = field.value;
    let same = 0;
    while (same < was.length && was[same] === now[same]) same += 1;
    turn = turn.then(() => {
      for (let left = was.length; left > same; left -= 1) rfb()?.sendKey(BACKSPACE);
      return type(rfb(), now.slice(same).join(""));
    });
    if (!event.isComposing && (now.length < 16 || now.length > 256)) {
      reset();
      before = PAD;
    }
  });
  field.addEventListener("focus", () => { before = PAD; });
  field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => {
    const keysym = NAMED[event.key];
    if (!keysym || event.isComposing) return;
    event.preventDefault();
    rfb()?.sendKey(keysym);
  });
}
