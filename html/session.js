// @ts-check
/** What moves on the pages of sessions: time left, the screen, copying, local times. */

import { duration } from "./words.js";

/** Count down to the end, by this page's own clock: the browser's may be wrong. */
function countDown() {
  const element = /** @type {HTMLElement|null} */ (document.querySelector("[data-left]"));
  if (!element) return;
  const end = performance.now() + Number(element.dataset.left) * 1000;
  const tick = () => {
    const left = Math.round((end - performance.now()) / 1000);
    element.textContent = left > 0 ? duration(left) : "over";
    element.toggleAttribute("data-soon", left < 600);
    if (left > 0) window.setTimeout(tick, 1000);
  };
  tick();
}

/** Show the screen while somebody looks at the page: a new picture every three seconds. */
function followScreen() {
  const view = /** @type {HTMLElement|null} */ (document.querySelector("[data-screen]"));
  if (!view) return;
  const canvas = document.createElement("canvas");
  const next = async () => {
    if (document.visibilityState !== "visible") return later(3);
    const answer = await fetch(view.dataset.screen ?? "", { cache: "no-store" }).catch(() => null);
    // 404: there is no picture yet, or for the moment. Other refusals stay.
    if (answer && !answer.ok && ![404, 429, 503].includes(answer.status)) return;
    if (answer?.ok) {
      await draw(canvas, await answer.blob()).then(() => view.append(canvas), () => {});
    }
    later(answer ? 3 : 10);
  };
  const later = (/** @type {number} */ seconds) => void window.setTimeout(next, seconds * 1000);
  next();
}

/** @param {HTMLCanvasElement} canvas @param {Blob} picture */
async function draw(canvas, picture) {
  const bitmap = await createImageBitmap(picture);
  canvas.width = bitmap.width;
  canvas.height = bitmap.height;
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0);
  bitmap.close();
}

/** @param {HTMLElement} source @returns {Promise<void>} */
async function copy(source) {
  const text = source.textContent ?? "";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard interface: select the text and copy it the old way.
    getSelection()?.selectAllChildren(source);
    if (!document.execCommand("copy")) throw new Error("not copied");
  }
}

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (
  document.querySelectorAll("button[data-copy]"))) {
  const source = document.getElementById(button.dataset.copy ?? "");
  const status = document.querySelector("[data-copied]");
  button.hidden = !source;
  button.addEventListener("click", async () => {
    if (!source) return;
    const said = await copy(source).then(() => "Copied.", () => "Press Ctrl+C to copy.");
    if (status) status.textContent = said;
    button.dataset.done = said;
    window.setTimeout(() => { delete button.dataset.done; }, 3000);
  });
}

for (const time of document.querySelectorAll("time")) {
  const moment = new Date(time.dateTime);
  const today = moment.toDateString() === new Date().toDateString();
  if (!Number.isNaN(moment.valueOf())) {
    time.textContent = moment.toLocaleString([], {
      hour: "2-digit", minute: "2-digit", ...today ? {} : { month: "short", day: "numeric" },
    });
  }
}

countDown();
followScreen();
