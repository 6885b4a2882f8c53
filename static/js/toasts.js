// Messages in the corner. Good news leaves by itself; a problem stays until it is dismissed.

const STAY_MS = 8000;
const LEVELS = { success: "good", good: "good", error: "bad", bad: "bad", warning: "warn", warn: "warn" };

function leaveLater(toast) {
  if (["bad", "warn"].includes(LEVELS[toast.dataset.toast])) return;
  let timer = setTimeout(() => toast.remove(), STAY_MS);
  toast.addEventListener("pointerenter", () => clearTimeout(timer));
  toast.addEventListener("focusin", () => clearTimeout(timer));
  toast.addEventListener("pointerleave", () => { timer = setTimeout(() => toast.remove(), STAY_MS); });
}

export function showToast(text, level = "info") {
  const region = document.getElementById("toasts");
  if (!region) return;
  const toast = document.createElement("div");
  toast.className = `toast ${LEVELS[level] ?? ""}`;
  toast.dataset.toast = level;
  const words = document.createElement("span");
  words.textContent = text;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "button quiet icon-only small";
  close.dataset.toastClose = "";
  close.setAttribute("aria-label", "Dismiss");
  close.textContent = "×";
  toast.append(words, close);
  region.append(toast);
  leaveLater(toast);
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
});
document.querySelectorAll("[data-toast]").forEach(leaveLater);

// A response may carry HX-Trigger: {"toast": {"text": "…", "level": "success"}}.
document.addEventListener("toast", (event) => showToast(event.detail.text, event.detail.level));
document.addEventListener("htmx:responseError", (event) => {
  const status = event.detail.xhr.status;
  const id = event.detail.xhr.getResponseHeader("X-Request-ID");
  const what = status === 403 ? "Your role does not allow this."
    : status === 409 ? "Somebody changed this meanwhile. Load the page again."
    : `This did not work (${status}).`;
  showToast(id ? `${what} Request id ${id}` : what, "error");
});
document.addEventListener("htmx:sendError", () => showToast("No connection to the server. Nothing was sent.", "error"));
