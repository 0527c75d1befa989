// @ts-check
/** Says in the form what starts at once, as the choices are now, and what has to boot first. */

import { part, say, show } from "./elements.js";
import { memory } from "./words.js";

/**
 * @typedef {import("./choices.js").Choices} Choices
 * @typedef {import("./facts.js").Facts} Facts
 * @typedef {import("./facts.js").Machine} Machine
 * @typedef {import("./facts.js").Size} Size
 */

/**
 * Mark the machines in the list, and say it of the chosen one.
 * @param {Facts} facts @param {Choices} choices @param {Machine|undefined} chosen
 */
export function showInstant(facts, choices, chosen) {
  const gpu = Boolean(part("gpu")?.checked);
  for (const machine of facts.machines) {
    const input = document.querySelector(`input[name=machine][value="${CSS.escape(machine.name)}"]`);
    const size = machine === chosen ? shown(machine) : remembered(machine, choices);
    const mark = /** @type {HTMLElement|null} */ (
      input?.parentElement?.querySelector("[data-instant]") ?? null);
    if (mark) mark.hidden = gpu || Boolean(machine.problem) || !known(machine, size);
  }
  show("instant", Boolean(chosen?.instant?.length));
  if (chosen?.instant?.length) say("instant-words", words(chosen, gpu));
  part("instant")?.toggleAttribute("data-boots", !chosen || gpu || !known(chosen, shown(chosen)));
}

/** @param {Machine} machine @param {boolean} gpu @returns {string} */
function words(machine, gpu) {
  if (gpu) return "Boots first: with a GPU it does not start at once.";
  if (known(machine, shown(machine))) return "Starts at once, in this size.";
  const sizes = (machine.instant ?? []).map(({ cpu, memory: mb, video }) => (
    `${cpu} processor${cpu === 1 ? "" : "s"}, ${memory(mb)}`
    + (video === shown(machine).video ? "" : `, ${video}`)));
  return `Boots first. It starts at once with ${sizes.join("; or ")}.`;
}

/** @param {Machine} machine @param {Size} size */
function known({ instant }, size) {
  return Boolean(instant?.some(({ cpu, memory: mb, video }) => (
    cpu === size.cpu && mb === size.memory && video === size.video)));
}

/** @param {Machine} machine @returns {Size} what the form shows; where a field is gone, the usual */
function shown(machine) {
  return {
    cpu: Number(part("cpu")?.value || machine.cpu.default),
    memory: Number(part("memory")?.value || machine.memory.default),
    video: part("video")?.value || machine.video,
  };
}

/** @param {Machine} machine @param {Choices} choices @returns {Size} what it would show */
function remembered(machine, { sizes }) {
  const { cpu, memory: mb, video } = sizes[machine.name] ?? {};
  return {
    cpu: Number(cpu ?? machine.cpu.default), memory: Number(mb ?? machine.memory.default),
    video: video ?? machine.video,
  };
}
