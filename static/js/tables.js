// Lists: j and k move, x selects, Enter opens, Shift+click adds a sort level; columns move by buttons.
import { isTyping } from "./shortcuts.js";

class DataTable extends HTMLElement {
  connectedCallback() {
    this.addEventListener("click", (event) => this.#addSortLevel(event));
    this.addEventListener("change", (event) => this.#select(event));
    this.#count();
  }

  get #rows() { return [...this.querySelectorAll("tbody tr")]; }
  get #boxes() { return [...this.querySelectorAll('tbody input[name="select"]')]; }

  #addSortLevel(event) {
    const link = event.target.closest("a.sort");
    if (link && event.shiftKey) {
      event.preventDefault();
      location.assign(link.dataset.add);
    }
  }

  #select(event) {
    if (event.target.matches("[data-select-all]")) {
      for (const box of this.#boxes) box.checked = event.target.checked;
    }
    this.#count();
  }

  #count() {
    const boxes = this.#boxes;
    const chosen = boxes.filter((box) => box.checked).length;
    for (const box of boxes) box.closest("tr").classList.toggle("selected", box.checked);
    const words = this.querySelector("[data-bulk-count]");
    if (words) words.textContent = `${chosen} selected`;
    const bar = this.querySelector("[data-bulk]");
    if (bar) {
      bar.hidden = chosen === 0;
      bar.classList.toggle("active", chosen > 0);
    }
  }

  move(step) {
    const rows = this.#rows;
    const at = rows.findIndex((row) => row.classList.contains("current"));
    const next = rows[Math.max(0, Math.min(rows.length - 1, at + step))];
    if (!next) return;
    rows[at]?.classList.remove("current");
    next.classList.add("current");
    const target = next.querySelector("a, input, button");
    if (target) target.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  get current() { return this.querySelector("tbody tr.current"); }
}
customElements.define("data-table", DataTable);

document.addEventListener("keydown", (event) => {
  if (!("singleKeys" in document.body.dataset) || isTyping(event.target)) return;
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const table = document.querySelector("data-table");
  if (!table) return;
  if (event.key === "j") table.move(1);
  else if (event.key === "k") table.move(-1);
  else if (event.key === "x") table.current?.querySelector('input[name="select"]')?.click();
  else if (event.key === "Enter" && table.current && !event.target.matches("a, button, summary")) {
    table.current.querySelector("th a, td a")?.click();
  }
});

// Moving a column happens here; only "Save columns" tells the server.
document.addEventListener("click", (event) => {
  const button = event.target.closest('[data-columns] button[name="move"]');
  if (!button) return;
  event.preventDefault();
  const item = button.closest("li");
  if (button.value.startsWith("up:")) item.previousElementSibling?.before(item);
  else item.nextElementSibling?.after(item);
  button.focus();
});
