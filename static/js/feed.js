// The live feed of a page. A frame is the whole state of a topic:
//   {"topic": "...", "sequence": 7, "as_of": "...", ...figures}
// Figures are written into elements with data-live="name" (and data-live-topic where a page watches
// several topics), and a "frame" event carries the frame to the page's own module. When the socket
// is lost the page says so, greys the live figures and asks data-poll every 10 seconds.

const POLL_MS = 10_000;
const RETRY_MS = [500, 1000, 2000, 5000, 10_000];
const PAINT_MS = 1000;

class LiveFeed extends HTMLElement {
  #socket = null;
  #retry = 0;
  #timer = 0;
  #poll = 0;
  #sequence = new Map();
  #waiting = new Map();
  #paintedAt = 0;
  #paintTimer = 0;
  #closed = false;

  connectedCallback() {
    this.#closed = false;
    this.#connect();
  }

  disconnectedCallback() {
    this.#closed = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#paintTimer);
    clearInterval(this.#poll);
    this.#socket?.close();
  }

  #connect() {
    const address = new URL(this.dataset.src, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    this.#socket = new WebSocket(address);
    this.#socket.addEventListener("open", () => this.#sequence.clear());
    this.#socket.addEventListener("message", (event) => this.#receive(event.data));
    this.#socket.addEventListener("close", (event) => {
      if (this.#closed) return;
      if (event.code >= 4400 && event.code < 4429) {
        this.#say("refused", "This feed is not open to you");
        return;
      }
      this.#lost();
      const wait = RETRY_MS[Math.min(this.#retry++, RETRY_MS.length - 1)];
      this.#timer = setTimeout(() => this.#connect(), wait);
    });
  }

  #receive(text) {
    const frame = JSON.parse(text);
    if (frame.feed === "down") return this.#lost();
    if (frame.feed === "up") {
      this.#sequence.clear(); // after a Redis that was started anew, a snapshot has number 0
      return undefined;
    }
    this.#retry = 0;
    this.#live();
    return this.#take(frame);
  }

  #take(frame) {
    const topic = frame.topic ?? "";
    const known = this.#sequence.get(topic);
    if (known !== undefined && frame.sequence !== undefined && frame.sequence < known) return;
    if (frame.sequence !== undefined) this.#sequence.set(topic, frame.sequence);
    this.#waiting.set(topic, frame);
    // The first change is painted at once, later ones once a second: figures stay readable.
    const since = performance.now() - this.#paintedAt;
    if (since >= PAINT_MS) this.#paint();
    else if (!this.#paintTimer) this.#paintTimer = setTimeout(() => this.#paint(), PAINT_MS - since);
  }

  #paint() {
    clearTimeout(this.#paintTimer);
    this.#paintTimer = 0;
    this.#paintedAt = performance.now();
    for (const [topic, frame] of this.#waiting) {
      for (const element of document.querySelectorAll("[data-live]")) {
        const wanted = element.closest("[data-live-topic]")?.dataset.liveTopic;
        if (wanted && wanted !== topic) continue;
        if (element.dataset.live in frame) write(element, frame[element.dataset.live]);
      }
      this.dispatchEvent(new CustomEvent("frame", { detail: frame, bubbles: true }));
    }
    this.#waiting.clear();
  }

  #live() {
    clearInterval(this.#poll);
    this.#poll = 0;
    document.querySelectorAll(".feed-lost").forEach((element) => element.classList.remove("feed-lost"));
    if (this.dataset.state !== "live") this.#say("live", "Live");
  }

  #lost() {
    if (this.dataset.state === "lost") return;
    const time = new Date().toLocaleTimeString("en-GB");
    this.#say("lost", this.dataset.poll ? `Live feed lost ${time}, asking every 10 s` : `Live feed lost ${time}`);
    document.querySelectorAll("[data-live]").forEach((element) => element.classList.add("feed-lost"));
    if (this.dataset.poll && !this.#poll) {
      this.#ask();
      this.#poll = setInterval(() => this.#ask(), POLL_MS);
    }
  }

  async #ask() {
    try {
      const response = await fetch(this.dataset.poll, { headers: { Accept: "application/json" } });
      if (!response.ok) return;
      const answer = await response.json();
      for (const frame of Array.isArray(answer) ? answer : [answer]) this.#take(frame);
    } catch (error) {
      console.info("The server cannot be asked either:", error.message);
    }
  }

  #say(state, words) {
    this.dataset.state = state;
    this.querySelector("[data-feed-text]").textContent = words;
  }
}
customElements.define("live-feed", LiveFeed);

// A moment as the server writes it: 21 Nov 2026 15:39 and the zone's name, which the page has.
function momentText(iso, before) {
  const zone = document.body.dataset.zone || "UTC";
  const part = new Map(new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit",
  }).formatToParts(new Date(iso)).map(({ type, value }) => [type, value]));
  const month = part.get("month").slice(0, 3);
  const name = before.trim().split(" ").pop();
  return `${part.get("day")} ${month} ${part.get("year")} ${part.get("hour")}:${part.get("minute")} ${name}`;
}

function write(element, value) {
  if (element.localName === "time" && typeof value === "string") {
    element.dateTime = value;
    element.textContent = momentText(value, element.textContent);
    return;
  }
  const places = Number(element.dataset.places ?? 0);
  const text = Number.isFinite(Number(value)) && value !== "" && value !== null
    ? Number(value).toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places }).replace("-", "−")
    : String(value ?? "–");
  if (element.textContent === text) return;
  element.textContent = text;
  element.classList.remove("flash");
  void element.offsetWidth;
  element.classList.add("flash");
}
