// Command palette: a combobox over what the server finds; page actions come first.

const WAIT_MS = 150;
const dialog = document.getElementById("palette");

if (dialog) {
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const status = dialog.querySelector(".status");
  let timer = 0;
  let asked = 0;
  let selected = -1;

  const options = () => [...list.children];

  function select(index) {
    const all = options();
    selected = all.length ? (index + all.length) % all.length : -1;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === selected)));
    if (selected >= 0) {
      input.setAttribute("aria-activedescendant", all[selected].id);
      all[selected].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  }

  function pageActions(text) {
    return [...document.querySelectorAll(".page-actions a[href], .page-actions button")]
      .map((element) => ({ label: element.textContent.trim(), kind: "On this page", element }))
      .filter((hit) => hit.label && hit.label.toLowerCase().includes(text.toLowerCase()));
  }

  function draw(hits) {
    list.replaceChildren(...hits.map((hit, index) => {
      const option = document.createElement("div");
      option.id = `palette-hit-${index}`;
      option.setAttribute("role", "option");
      const label = document.createElement("span");
      label.textContent = hit.label;
      const kind = document.createElement("span");
      kind.className = "kind";
      kind.textContent = hit.kind;
      option.append(label, kind);
      option.addEventListener("click", () => run(hit));
      return option;
    }));
    list.hidden = hits.length === 0;
    input.setAttribute("aria-expanded", String(hits.length > 0));
    status.textContent = hits.length ? `${hits.length} found. Arrow keys choose, Enter opens.` : "Nothing found.";
    select(0);
  }

  function run(hit) {
    dialog.close();
    if (hit.element) hit.element.click();
    else location.assign(hit.url);
  }

  async function find() {
    const text = input.value;
    const mine = ++asked;
    const address = new URL(dialog.dataset.search, location.href);
    address.search = new URLSearchParams({ q: text, format: "json" });
    try {
      const response = await fetch(address, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(`status ${response.status}`);
      const found = await response.json();
      if (mine === asked) draw([...pageActions(text), ...found.hits]);
    } catch (error) {
      if (mine === asked) status.textContent = `The search did not answer (${error.message}).`;
    }
  }

  function open() {
    if (!dialog.open) dialog.showModal();
    input.select();
    find();
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, WAIT_MS);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(selected + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && selected >= 0) {
      event.preventDefault();
      options()[selected].click();
    }
  });
  document.addEventListener("palette:open", open);
  document.querySelector("[data-palette-open]")?.addEventListener("click", (event) => {
    event.preventDefault();
    open();
  });
}
