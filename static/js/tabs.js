// Where the tabs are wider than the window, show the one that is open.
const showOpen = () => {
  for (const tabs of document.querySelectorAll("nav.tabs")) {
    const open = tabs.querySelector("[aria-current]");
    if (!open || tabs.scrollWidth <= tabs.clientWidth) continue;
    const offset = open.getBoundingClientRect().left - tabs.getBoundingClientRect().left;
    tabs.scrollLeft += offset - (tabs.clientWidth - open.offsetWidth) / 2;
  }
};
showOpen();
addEventListener("resize", showOpen);
