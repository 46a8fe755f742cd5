// The frame: theme, navigation, search, keyboard, copying, announcements, panels. No inline handlers anywhere.
(function () {
  "use strict";
  const root = document.documentElement;
  const find = (selector, from) => (from || document).querySelector(selector);
  const typing = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) && !/^(checkbox|radio|button|submit)$/.test(node.type));

  function announce(text) {
    const region = find("#announcer");
    if (!region || !text) return;
    region.textContent = "";
    requestAnimationFrame(() => { region.textContent = text; });
  }
  window.announce = announce;

  function csrf() {
    try { return JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"]; } catch { return ""; }
  }

  function toggleTheme(button) {
    const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
    root.dataset.theme = root.dataset.bsTheme = theme;
    document.dispatchEvent(new CustomEvent("themechange"));
    fetch(button.dataset.url, { method: "POST", headers: { "X-CSRFToken": csrf(), "Content-Type": "application/x-www-form-urlencoded" }, body: "theme=" + theme });
  }

  function toggleNavigation(button) {
    const open = find("#sidebar").classList.toggle("open");
    button.setAttribute("aria-expanded", String(open));
  }

  function collapseNavigation(button) {
    const collapsed = root.dataset.nav !== "collapsed";
    root.dataset.nav = collapsed ? "collapsed" : "";
    button.setAttribute("aria-pressed", String(collapsed));
    try { localStorage.setItem("nav", collapsed ? "collapsed" : ""); } catch { /* not remembered then */ }
    window.dispatchEvent(new Event("resize"));
  }

  async function copy(button) {
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
      announce("Copied");
      button.classList.add("copied");
      setTimeout(() => button.classList.remove("copied"), 1500);
    } catch {
      announce("Copying is not allowed here; select the text instead");
    }
  }

  function retryPanel(button) {
    const panel = button.closest("[data-panel]");
    if (panel && window.htmx) window.htmx.trigger(panel, "reload");
  }

  const actions = [
    ["[data-theme-toggle]", toggleTheme],
    ["[data-nav-toggle]", toggleNavigation],
    ["[data-nav-collapse]", collapseNavigation],
    ["[data-copy]", copy],
    ["[data-keyboard-help]", () => find("#keyboard-help").showModal()],
    ["[data-panel-retry]", retryPanel],
  ];

  document.addEventListener("click", (event) => {
    const asking = event.target.closest("[data-confirm]");
    if (asking && !window.confirm(asking.dataset.confirm)) { event.preventDefault(); return; }
    for (const [selector, act] of actions) {
      const hit = event.target.closest(selector);
      if (hit) { act(hit); return; }
    }
    document.querySelectorAll("details.menu[open]").forEach((menu) => { if (!menu.contains(event.target)) menu.open = false; });
    const drop = find("#search-drop");
    if (drop && !event.target.closest(".topbar-search")) drop.replaceChildren();
  });

  let prefix = "";
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      const drop = find("#search-drop");
      if (drop) drop.replaceChildren();
      document.querySelectorAll("details.menu[open]").forEach((menu) => { menu.open = false; });
      if (typing(event.target)) event.target.blur();
      return;
    }
    if (event.key === "ArrowDown" && event.target.id === "global-search") {
      const first = find("#search-drop a");
      if (first) { first.focus(); event.preventDefault(); }
      return;
    }
    if (typing(event.target) || find("dialog[open]")) return;
    if (prefix === "g" && event.key === "h") { location.assign(find(".brand")?.href || "/"); }
    prefix = event.key === "g" ? "g" : "";
    const keyed = find('[data-key="' + CSS.escape(event.key) + '"]');
    if (keyed) { if (typing(keyed)) keyed.focus(); else keyed.click(); event.preventDefault(); return; }
    if (event.key === "/") { const box = find("#global-search"); if (box) { box.focus(); box.select(); event.preventDefault(); } }
    if (event.key === "?") { find("#keyboard-help")?.showModal(); event.preventDefault(); }
  });

  // A percentage in the tab's title while something long runs.
  const plainTitle = document.title;
  function showPercent() {
    const running = find("[data-title-percent]:not([data-final])");
    document.title = running ? running.dataset.titlePercent + " % · " + plainTitle : plainTitle;
  }

  // A form with a large file shows how much of it was sent; without script it is sent all the same.
  function showSent(form, share) {
    const bar = find("[data-upload-progress]", form);
    const percent = Math.floor(share * 100);
    bar.hidden = false;
    bar.setAttribute("aria-valuenow", String(percent));
    find(".done", bar).setAttribute("width", String(percent));
    find(".progress-words", bar).textContent = share < 1 ? percent + " % sent" : "Sent, being received";
  }
  function sendForm(form) {
    const request = new XMLHttpRequest();
    const buttons = form.querySelectorAll("button");
    const enable = (on) => buttons.forEach((button) => { button.disabled = !on; });
    request.upload.addEventListener("progress", (event) => { if (event.lengthComputable) showSent(form, event.loaded / event.total); });
    request.addEventListener("error", () => { enable(true); announce("The file could not be sent"); find(".progress-words", form).textContent = "The connection broke; send it again."; });
    request.addEventListener("load", () => {
      if (request.status < 400 && request.responseURL !== location.href) { location.assign(request.responseURL); return; }
      const answer = new DOMParser().parseFromString(request.responseText, "text/html").querySelector("#content");
      if (answer) find("#content").replaceWith(answer); else location.reload();
      find("#content [aria-invalid=true], #content .alert")?.focus();
    });
    request.open("POST", form.action || location.href);
    request.send(new FormData(form));
    enable(false);
  }
  document.addEventListener("submit", (event) => {
    const form = event.target.closest("form[data-upload]");
    if (form) { event.preventDefault(); showSent(form, 0); sendForm(form); }
  });

  function failed(event) {
    const panel = event.detail.target?.closest?.("[data-panel]");
    const status = event.detail.xhr?.status;
    if (panel) {
      panel.setAttribute("aria-busy", "false");
      const template = find("#panel-failed");
      if (template) panel.replaceChildren(template.content.cloneNode(true));
      const reference = panel.querySelector("code");
      const id = event.detail.xhr?.getResponseHeader("X-Request-ID");
      if (reference && id) reference.textContent = id;
    }
    if (status !== 401) announce("A part of the page could not be loaded" + (status ? " (" + status + ")" : ""));
  }
  // A part that refreshes by itself rests while somebody reads in it (something open, in focus or marked), and keeps
  // how far its tables were moved sideways.
  function inUse(part) {
    const marked = document.getSelection();
    return part.querySelector("details[open]") || part.contains(document.activeElement)
      || (marked && !marked.isCollapsed && part.contains(marked.anchorNode));
  }
  let moved = [];
  const tablesOf = (part) => [...(part || document.createElement("i")).querySelectorAll(".table-wrap")];
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target?.matches?.("[data-hold]")) moved = tablesOf(event.detail.target).map((table) => table.scrollLeft);
  });
  document.addEventListener("htmx:afterSettle", () => {
    tablesOf(moved.length ? find("[data-hold]") : null).forEach((table, place) => { table.scrollLeft = moved[place] || 0; });
    moved = [];
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (event.detail.elt.matches("[data-hold]") && inUse(event.detail.elt)) event.preventDefault();
  });
  document.addEventListener("htmx:responseError", failed);
  document.addEventListener("htmx:sendError", failed);
  document.addEventListener("htmx:timeout", failed);
  document.addEventListener("htmx:afterSwap", (event) => {
    event.detail.target?.closest?.("[data-panel]")?.setAttribute("aria-busy", "false");
    const said = event.detail.target?.querySelector?.("[data-announce]");
    if (said) announce(said.dataset.announce);
    showPercent();
  });
  // The numbers of the home page were counted anew.
  document.addEventListener("home-refreshed", () => document.querySelectorAll("[data-panel]").forEach((panel) => window.htmx.trigger(panel, "reload")));
  showPercent();
})();
