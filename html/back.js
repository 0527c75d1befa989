// @ts-check
/** A way back that keeps what was typed: the page before, when that is one of ours. */

const link = document.querySelector("a[data-back]");
link?.addEventListener("click", (event) => {
  if (history.length > 1 && document.referrer.startsWith(`${location.origin}/`)) {
    event.preventDefault();
    history.back();
  }
});
