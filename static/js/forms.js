// Small conveniences of forms; each works without them by pressing the button.

document.querySelectorAll("[data-no-script]").forEach((element) => { element.hidden = true; });

document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-auto-submit]");
  if (!form || !event.target.checkValidity()) return;
  // From the present address: filters may have changed it since the page was drawn.
  const address = new URL(location.href);
  for (const place of ["after", "before"]) address.searchParams.delete(place);
  for (const control of form.querySelectorAll("select, input:not([type=hidden])")) {
    address.searchParams.set(control.name, control.value);
  }
  location.assign(address);
});

// A second press of a button does not send a form twice.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent);
  document.querySelectorAll('button[aria-busy="true"]').forEach((button) => button.removeAttribute("aria-busy"));
});

document.querySelector("[data-focus]")?.focus();
