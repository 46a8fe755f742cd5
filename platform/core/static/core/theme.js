// Runs before the first paint: the theme of the system unless the person chose one.
(function () {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  function apply() {
    if ((root.dataset.theme || "auto") === "auto") root.dataset.bsTheme = dark.matches ? "dark" : "light";
  }
  apply();
  dark.addEventListener("change", apply);
  try {
    if (localStorage.getItem("nav") === "collapsed") root.dataset.nav = "collapsed";
  } catch { /* storage may be forbidden; the navigation is then open */ }
})();
