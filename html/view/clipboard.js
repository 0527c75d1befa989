// @ts-check
/** The machine's clipboard and this computer's: a text between them, given and taken by hand. */

import { part, say } from "../elements.js";
import { type } from "./typing.js";

/**
 * Make the dialog work.
 * @param {() => any} rfb the connection of this moment
 */
export function offerClipboard(rfb) {
  const field = part("clip");
  const give = () => {
    rfb()?.clipboardPasteFrom(field.value);
    say("clip-said", "The machine has it: paste it there.");
  };
  field.addEventListener("change", give);
  part("clip-send").addEventListener("click", give);
  part("clip-take").addEventListener("click", async () => {
    say("clip-said", await copyText(field.value) ? "Copied." : "Press Ctrl+C to copy.");
    field.select();
  });
  part("clip-type").addEventListener("click", async () => {
    part("clipboard").close();
    await type(rfb(), field.value);
  });
}

/** Hear what is copied in the machine. @param {any} rfb */
export function hearClipboard(rfb) {
  rfb.addEventListener("clipboard", (/** @type {CustomEvent} */ event) => {
    part("clip").value = event.detail.text;
    say("clip-said", "Copied in the machine.");
  });
}

/**
 * Put a text into this computer's clipboard; without TLS there is no interface for that.
 * @param {string} text @returns {Promise<boolean>} whether it is there
 */
export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement("textarea");
    field.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    return done;
  }
}
