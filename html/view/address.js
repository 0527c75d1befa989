// @ts-check
/** What the viewer's own address tells it. All of that stands behind #, which is never sent. */

// Whatever the rest of the path is: the page knows where it was found itself.
const SOCKET = /(?:^|\/)((?:session\/([a-z2-7]{26})\/)?websockify)$/;

/**
 * @typedef {object} Address
 * @property {string} socket address of the websocket, empty when the page's own names none
 * @property {string} session its id, empty for a machine started by hand
 * @property {string} token
 * @property {boolean} wait whether the person says when to connect
 */

/** @param {Location} location @returns {Address} */
export function read(location) {
  const words = new URLSearchParams(location.hash.slice(1));
  const found = SOCKET.exec(words.get("path") ?? "");
  const socket = new URL(found?.[1] ?? "", location.href);
  socket.protocol = location.protocol === "https:" ? "wss:" : "ws:";
  socket.hash = "";
  return {
    socket: found ? socket.href : "",
    session: found?.[2] ?? "",
    token: words.get("password") ?? "",
    wait: words.get("wait") === "1",
  };
}

/**
 * The address to give to others: with the secret only where the address alone opens the machine.
 * @param {Location} location @param {boolean} asks whether a token is typed @returns {string}
 */
export function toShare(location, asks) {
  const words = new URLSearchParams(location.hash.slice(1));
  words.delete("wait");
  if (asks) words.delete("password");
  return `${location.href.split("#")[0]}#${words.toString().replaceAll("%2F", "/")}`;
}
