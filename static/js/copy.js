// Copies the block of code beside a button; without scripts the button is not there.

for (const button of document.querySelectorAll("[data-copy]")) {
  if (!navigator.clipboard) break; // no clipboard on pages without TLS, except on this machine
  button.hidden = false;
  const words = button.querySelector("[data-copy-text]");
  const said = words.textContent;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(button.parentElement.querySelector("code").textContent);
      words.textContent = "Copied";
    } catch (error) {
      words.textContent = "Not copied";
      console.warn("The browser keeps its clipboard to itself.", error);
    }
    setTimeout(() => { words.textContent = said; }, 2000);
  });
}
