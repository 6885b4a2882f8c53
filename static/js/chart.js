// A chart reads the table under it, so both always say the same. The drawing library is the npm
// bundle; without it the table stays open and nothing is missing but the picture.

let styles = null; // loaded once a page

class EopChart extends HTMLElement {
  #drawing = null;
  #observer = null;

  connectedCallback() {
    if (!this.dataset.bundle) return;
    const table = this.querySelector("table");
    const canvas = this.querySelector(".canvas");
    if (!canvas) return;
    if (!table?.tBodies[0]?.rows.length) {
      canvas.hidden = true; // nothing to draw: its place is not kept
      return;
    }
    // Drawn with its styles or not yet: a legend that is styled later would move the page.
    Promise.all([import(new URL(this.dataset.bundle, document.baseURI)), loadStyles(this.dataset.styles)])
      .then(([bundle]) => {
        const draw = () => {
          this.#drawing?.destroy();
          this.#drawing = bundle.drawChart(canvas, readTable(table), {
            kind: this.dataset.kind,
            unit: this.dataset.unit,
            width: this.clientWidth,
            colors: colorsOf(this),
            zone: document.body.dataset.zone || "UTC",
          });
        };
        draw();
        let width = this.clientWidth;
        this.#observer = new ResizeObserver(() => {
          if (Math.abs(this.clientWidth - width) < 2) return;
          width = this.clientWidth;
          draw();
        });
        this.#observer.observe(this);
        new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme", "data-palette"] });
        this.addEventListener("chart:redraw", draw);
      })
      .catch((error) => {
        canvas.hidden = true;
        this.querySelector("details")?.setAttribute("open", "");
        console.warn("The chart is not drawn; its table is open instead.", error);
      });
  }

  disconnectedCallback() {
    this.#observer?.disconnect();
    this.#drawing?.destroy();
  }
}
customElements.define("eop-chart", EopChart);

function loadStyles(address) {
  if (!address) return null;
  styles ??= new Promise((resolve) => {
    const link = document.createElement("link");
    link.rel = "stylesheet";
    link.href = address;
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve); // an unstyled legend still says what it says
    document.head.append(link);
  });
  return styles;
}

function readTable(table) {
  const labels = [...table.tHead.rows[0].cells].slice(1).map((cell) => cell.textContent.trim());
  const times = [];
  const series = labels.map(() => []);
  for (const row of table.tBodies[0].rows) {
    const stamp = row.cells[0].querySelector("time")?.dateTime ?? row.cells[0].textContent;
    times.push(Date.parse(stamp) / 1000);
    labels.forEach((_, index) => {
      const value = row.cells[index + 1]?.dataset.value;
      series[index].push(value === "" || value === undefined ? null : Number(value));
    });
  }
  return { labels, times, series };
}

function colorsOf(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  return {
    series: ["--series-1", "--series-2", "--series-3", "--series-4"].map(read),
    grid: read("--line"),
    text: read("--text-muted"),
    font: `12px ${style.fontFamily}`,
  };
}
