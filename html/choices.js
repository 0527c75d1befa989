// @ts-check
/**
 * What the person chose, remembered in this browser; never who the person is.
 *
 * Sizes are kept per machine: what suits one is wrong for another.
 */

import { part } from "./elements.js";

/**
 * @typedef {{machine?: string, lifetime?: string, persistent?: boolean, gpu?: boolean,
 *            sizes: Record<string, Record<string, string>>}} Choices
 */

const KEY = "remote-desktop";
const SIZES = ["cpu", "memory", "video"];

/** @returns {Choices} those of the last time, or none */
export function recall() {
  try {
    const { sizes = {}, ...others } = JSON.parse(localStorage.getItem(KEY) ?? "{}");
    return { ...others, sizes };
  } catch {
    return { sizes: {} };
  }
}

/**
 * Note one choice as it is made.
 * @param {Choices} choices @param {HTMLInputElement} input @param {string|undefined} machine
 */
export function note(choices, { name, value, checked }, machine) {
  if (name === "machine" || name === "lifetime") choices[name] = value;
  if (name === "persistent" || name === "gpu") choices[name] = checked;
  if (machine && SIZES.includes(name)) (choices.sizes[machine] ??= {})[name] = value;
}

/** @param {Choices} choices */
export function remember(choices) {
  try {
    localStorage.setItem(KEY, JSON.stringify(choices));
  } catch {
    // Storage may be off or full: nothing is remembered then.
  }
}

/**
 * Fill a list and choose what can be had: the wish, else the usual, else the most.
 * @param {string} id
 * @param {{value: number|string, text: string, lacking?: boolean}[]} options
 * @param {string|undefined} wish @param {number|string} usual
 */
export function fill(id, options, wish, usual) {
  const select = part(id);
  if (!select) return;
  const able = options.filter(({ lacking }) => !lacking).map(({ value }) => String(value));
  const wanted = [wish, String(usual), able.at(-1)].find((value) => value && able.includes(value));
  select.replaceChildren(...options.map(({ value, text, lacking }) => {
    const option = new Option(lacking ? `${text} (not free now)` : text, String(value));
    option.disabled = Boolean(lacking);
    return option;
  }));
  select.value = wanted ?? String(usual);
  select.disabled = !options.length;
  select.closest(".field")?.toggleAttribute("hidden", options.length < 2);
}

/**
 * Numbers from `least` to the limit that pass `round`, and `others`: few enough to choose from.
 * @param {{default: number, max?: number|null}} limits
 * @param {number} least @param {(n: number) => boolean} round @param {number[]} others
 * @returns {number[]}
 */
export function numbers(limits, least, round, others) {
  const most = limits.max || Math.max(limits.default, least) * 4;
  const found = new Set([limits.default, most, ...others.filter((n) => n <= most)]);
  for (let n = least; n < most; n += 1) if (round(n)) found.add(n);
  return [...found].sort((a, b) => a - b);
}
