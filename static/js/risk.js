// The risk page: draws limits and the tables of positions and options from each frame; figures with data-live
// are written by the feed itself. A frame of an older revision than the one shown is left out.

const money = (value, places, signed = false) => {
  const text = Math.abs(Number(value)).toLocaleString("en-US", {
    minimumFractionDigits: places, maximumFractionDigits: places,
  });
  if (Number(value) < 0) return `−${text}`;
  return signed && Number(value) > 0 ? `+${text}` : text;
};

class RiskPage extends HTMLElement {
  #revision = -1;
  #breached = new Map();

  connectedCallback() {
    this.addEventListener("frame", (event) => this.#draw(event.detail));
  }

  #draw(frame) {
    if (frame.book !== this.dataset.book || frame.revision < this.#revision) return;
    this.#revision = frame.revision;
    this.dataset.revision = frame.revision;
    document.getElementById("convention").textContent = frame.convention;
    this.#drawLimits(frame.limits);
    const body = this.querySelector("#positions tbody");
    body.replaceChildren(...frame.positions.map(row));
    this.querySelector("#changes tbody")?.replaceChildren(...frame.changes.map(changeRow));
    this.querySelector("#choices tbody").replaceChildren(...frame.choices.map(choiceRow));
  }

  // All anew: a limit may have been approved, changed or removed since.
  #drawLimits(limits) {
    const place = this.querySelector("[data-limits]");
    if (limits.length) place.replaceChildren(...limits.map(meterOf));
    else if (place.querySelector(".meter")) place.textContent = "No limit is set on this book.";
    limits.forEach((limit) => this.#noteCrossing(limit));
  }

  #noteCrossing(limit) {
    const before = this.#breached.get(limit.id);
    if (before !== undefined && before !== limit.is_breached) {
      // Spoken only when a limit is crossed, not with every frame.
      this.querySelector("[data-crossing]").textContent = limit.is_breached
        ? `${limit.measure} is over its limit` : `${limit.measure} is within its limit again`;
    }
    this.#breached.set(limit.id, limit.is_breached);
  }
}

// A limit with its use, as the server draws it.
function meterOf(limit) {
  const pill = tagged("span", limit.state, `pill ${limit.level}`);
  pill.dataset.limitState = limit.id;
  const used = tagged("output", limit.used === null ? "–" : money(limit.used, 2));
  used.dataset.limitUsed = limit.id;
  const figures = tagged("span", "", "number");
  figures.append(used, ` of ${money(limit.amount, 2)} ${limit.unit} `, pill);
  const line = tagged("div", "", "row");
  line.append(tagged("span", limit.measure), figures);
  const meter = document.createElement("meter");
  meter.setAttribute("aria-label", limit.measure);
  meter.dataset.limitMeter = limit.id;
  Object.assign(meter, { max: limit.amount, low: 0.75 * limit.amount, high: 0.95 * limit.amount, optimum: 0 });
  meter.value = limit.used ?? 0;
  const whole = tagged("div", "", "meter");
  whole.append(line, meter);
  if (limit.problem) whole.append(tagged("p", limit.problem, "muted"));
  return whole;
}

function tagged(tag, text, className = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function row(position) {
  const element = document.createElement("tr");
  element.dataset.row = "";
  const product = position.load_type.charAt(0) + position.load_type.slice(1).toLowerCase();
  element.append(
    cell("th", "Month", position.month),
    cell("td", "Area", position.market),
    cell("td", "Product", product),
    cell("td", "MW", money(position.mw, 3, true), true),
    cell("td", "MWh", money(position.energy_mwh, 0, true), true),
    cell("td", "Average price", position.average_price === null ? "–" : money(position.average_price, 2), true),
    cell("td", "Curve", position.price === null ? position.problem || "–" : money(position.price, 2), true),
    cell("td", "Value", position.value === null ? "none" : `${money(position.value, 2, true)} ${position.currency}`, true),
  );
  return element;
}

// An option or a contract with choices: its value, and what it stands on.
function choiceRow(choice) {
  const element = document.createElement("tr");
  element.dataset.row = "";
  const trade = cell("th", "Trade", "");
  trade.append(tradeLink(choice.trade, choice.trade));
  element.append(
    trade,
    cell("td", "What", choice.what),
    cell("td", "Area", choice.market),
    cell("td", "Delivery", `${choice.first} to ${choice.last}`),
    cell("td", "Value", choice.value === null ? "none" : `${money(choice.value, 2, true)} ${choice.currency}`, true),
    cell("td", "Valued on", [choice.problem, ...choice.notes].join(" ").trim()),
  );
  return element;
}

function tradeLink(ref, text) {
  const link = document.createElement("a");
  link.href = `/trades/${encodeURIComponent(ref)}/`;
  link.textContent = text;
  return link;
}

// Says what moved the numbers: the deal by its reference, or new curves.
function changeRow(change) {
  const element = document.createElement("tr");
  element.dataset.change = change.sequence;
  const by = cell("th", "By", change.trade ? "" : change.cause);
  if (change.trade) by.append(tradeLink(change.trade, change.cause));
  element.append(
    by,
    cell("td", "VaR before", money(change.var_before, 2), true),
    cell("td", "VaR after", money(change.var_after, 2), true),
    cell("td", "Change of VaR", money(change.var_change, 2, true), true),
    cell("td", "Change of value", money(change.value_change, 2, true), true),
  );
  return element;
}

function cell(tag, label, text, number = false) {
  const element = document.createElement(tag);
  element.dataset.label = label;
  element.textContent = text;
  if (tag === "th") element.scope = "row";
  if (number) element.className = "number";
  return element;
}

customElements.define("risk-page", RiskPage);
