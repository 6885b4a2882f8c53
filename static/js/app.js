// Loaded by every page; each module does nothing where its elements are absent.
import "./dialogs.js";
import "./menus.js";
import "./toasts.js";
import "./theme.js";
import "./forms.js";
import "./clock.js";
import "./shortcuts.js";
import "./palette.js";
import "./tables.js";
import "./tabs.js";
import "./chart.js";
import "./feed.js";

if ("serviceWorker" in navigator && document.querySelector('link[rel="manifest"]')) {
  navigator.serviceWorker.register("/sw.js").catch((error) => {
    console.warn("The offline page is not kept:", error.message);
  });
}
