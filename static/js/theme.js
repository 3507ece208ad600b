// Runs before the first paint, so that neither the theme nor the side bar flickers.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const wanted = root.dataset.theme || "auto";
    root.dataset.bsTheme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
  };
  apply();
  dark.addEventListener("change", apply);
  addEventListener("oneteam:theme", apply);
  let rail = null;
  try {
    rail = localStorage.getItem("oneteam.rail");
  } catch {
    // Storage may be forbidden; the width of the window then decides.
  }
  if (rail === "1" || (rail === null && innerWidth < 1100)) root.classList.add("ot-rail");
})();
