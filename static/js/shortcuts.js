// Keys: Ctrl+K everywhere; single letters outside of inputs, unless the person switched them off.
import { openDialog } from "./dialogs.js";

const singleKeys = () => "singleKeys" in document.body.dataset;
const GO_WITHIN_MS = 1500;
let goPressedAt = 0;

export function isTyping(target) {
  return target.isContentEditable || target.matches?.("input:not([type=checkbox], [type=radio]), select, textarea");
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey && event.key.toLowerCase() === "k") {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("palette:open"));
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (!singleKeys() || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  const key = event.key;
  if (goPressedAt && event.timeStamp - goPressedAt < GO_WITHIN_MS) {
    goPressedAt = 0;
    const link = document.querySelector(`[data-go="${CSS.escape(key)}"]`);
    if (link) {
      event.preventDefault();
      link.click();
    }
    return;
  }
  if (key === "g") {
    goPressedAt = event.timeStamp;
  } else if (key === "/") {
    event.preventDefault();
    document.dispatchEvent(new CustomEvent("palette:open"));
  } else if (key === "?") {
    event.preventDefault();
    openDialog("shortcuts");
  } else if (/^[a-z]$/.test(key)) {
    const target = document.querySelector(`[data-key="${key}"]`);
    if (!target) return;
    event.preventDefault();
    if (isTyping(target)) target.focus();
    else target.click();
  }
});
