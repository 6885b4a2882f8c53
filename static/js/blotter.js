// The blotter while it is open. A frame says only that a book was written after the page was drawn;
// the page then asks what that means under its own filters. Rows that it shows change where they
// stand, under the same selection; whatever would move rows becomes "3 new" to click on. Sums of
// the selection are the server's, exact.

const GATHER_MS = 400;
const SUMS_MS = 150;

class BlotterLive extends HTMLElement {
  #heard = new Map();
  #timer = 0;
  #sumsTimer = 0;
  #asked = 0;

  connectedCallback() {
    this.addEventListener("frame", (event) => this.#hear(event.detail));
    document.addEventListener("change", (event) => {
      if (event.target.closest("data-table")) this.#sumSoon();
    });
    document.addEventListener("htmx:afterSwap", () => this.#news());
  }

  // Per book, when it was last written as far as the drawn rows tell.
  get #known() {
    return JSON.parse(document.getElementById("blotter-known")?.textContent ?? "{}");
  }

  #hear({ book, as_of: at }) {
    if (!at || !(book in this.#known)) return;
    this.#heard.set(book, at);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#news(), GATHER_MS);
  }

  async #news() {
    const known = this.#known;
    const asked = new URLSearchParams(location.search);
    for (const name of ["after", "before", "sort", "export"]) asked.delete(name);
    let count = 0;
    for (const [book, at] of this.#heard) {
      if (known[book] && Date.parse(known[book]) === Date.parse(at)) continue;
      asked.append("known", `${book},${known[book] ?? ""}`);
      count += 1;
    }
    if (!count) return;
    for (const row of document.querySelectorAll("data-table tr[data-row]")) asked.append("shown", row.dataset.row);
    const mine = ++this.#asked;
    const response = await fetch(`${this.dataset.news}?${asked}`, { headers: { "HX-Request": "true" } });
    if (!response.ok || mine !== this.#asked) return;
    const answer = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-new]");
    if (!answer) return;
    for (const row of answer.querySelectorAll("tr[data-row]")) this.#replace(row);
    this.#say(Number(answer.dataset.new), Number(answer.dataset.changed));
  }

  #replace(fresh) {
    const old = document.querySelector(`data-table tr[data-row="${CSS.escape(fresh.dataset.row)}"]`);
    if (!old || words(old) === words(fresh)) return;
    const box = fresh.querySelector('input[name="select"]');
    if (box) box.checked = old.querySelector('input[name="select"]')?.checked ?? false;
    fresh.className = old.className;
    const focused = old.contains(document.activeElement) ? document.activeElement.localName : "";
    old.replaceWith(document.adoptNode(fresh));
    fresh.classList.add("flash");
    if (focused) fresh.querySelector(focused)?.focus({ preventScroll: true });
    this.#sumSoon();
  }

  #say(fresh, changed) {
    const place = document.querySelector("[data-news-place]");
    if (!place) return;
    const parts = [];
    if (fresh) parts.push(`${fresh} new`);
    if (changed) parts.push(`${changed} changed`);
    place.hidden = !parts.length;
    const link = place.querySelector("[data-news-link]");
    if (parts.length && link.textContent !== parts.join(", ")) link.textContent = parts.join(", ");
  }

  #sumSoon() {
    clearTimeout(this.#sumsTimer);
    this.#sumsTimer = setTimeout(() => this.#sum(), SUMS_MS);
  }

  async #sum() {
    const place = document.querySelector("[data-selection-place]");
    if (!place) return;
    const chosen = new URLSearchParams();
    for (const box of document.querySelectorAll('data-table input[name="select"]:checked')) chosen.append("select", box.value);
    if (![...chosen].length) {
      place.replaceChildren();
      return;
    }
    const response = await fetch(`${this.dataset.selection}?${chosen}`);
    if (!response.ok) return;
    const answer = new DOMParser().parseFromString(await response.text(), "text/html");
    place.replaceChildren(...answer.body.childNodes);
  }
}

const words = (row) => row.textContent.replace(/\s+/g, " ");

customElements.define("blotter-live", BlotterLive);
