// Rows: j and k move, x selects, Enter opens; shift selects a stretch; the selection bar shows what is chosen.
// On the page of one row j and k go to its neighbours; / goes to the list's search box.
(function () {
  "use strict";
  const rows = () => [...document.querySelectorAll("table[data-rows] tbody tr, form[data-selection] tbody tr")];
  const typing = (node) => node instanceof HTMLElement && /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName) && node.type !== "checkbox";
  let last = null;

  function current() { return document.querySelector("tr.current"); }

  function move(step) {
    const all = rows();
    if (!all.length) return;
    const at = all.indexOf(current());
    const next = all[Math.min(all.length - 1, Math.max(0, at < 0 ? 0 : at + step))];
    all.forEach((row) => row.classList.toggle("current", row === next));
    next.querySelector("a[href]")?.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  }

  function boxes(form) { return [...form.querySelectorAll("input[data-select]")]; }

  function refresh(form) {
    const all = boxes(form);
    const chosen = all.filter((box) => box.checked);
    all.forEach((box) => box.closest("tr")?.classList.toggle("selected", box.checked));
    const head = form.querySelector("[data-select-all]");
    if (head) { head.checked = all.length > 0 && chosen.length === all.length; head.indeterminate = chosen.length > 0 && chosen.length < all.length; }
    const bar = form.querySelector("[data-selection-bar]");
    if (!bar) return;
    const matching = bar.querySelector("[data-select-matching]");
    if (matching && !chosen.length) matching.checked = false;
    bar.hidden = !chosen.length;
    bar.querySelector("[data-selected-count]").textContent = String(chosen.length);
    document.body.classList.toggle("has-selection", chosen.length > 0);
  }

  function clear(form) { boxes(form).forEach((box) => { box.checked = false; }); refresh(form); }

  document.addEventListener("click", (event) => {
    const none = event.target.closest("[data-select-none]");
    if (none) { clear(none.closest("form")); return; }
    const box = event.target.closest("input[data-select]");
    if (!box) return;
    const all = boxes(box.form);
    if (event.shiftKey && last && last.form === box.form) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      all.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
    }
    last = box;
    refresh(box.form);
  });

  document.addEventListener("change", (event) => {
    const head = event.target.closest?.("[data-select-all]");
    if (!head) return;
    boxes(head.form).forEach((box) => { box.checked = head.checked; });
    refresh(head.form);
    window.announce?.(boxes(head.form).filter((box) => box.checked).length + " selected");
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const row = current();
    if (event.key === "j") move(1);
    else if (event.key === "k") move(-1);
    else if (event.key === "x" && row) row.querySelector("input[data-select]")?.click();
    else if (event.key === "Enter" && row && !/^(A|BUTTON|SUMMARY|INPUT)$/.test(event.target.tagName)) row.querySelector("a[href]")?.click();
    else if (event.key === "Escape") document.querySelectorAll("form[data-selection]").forEach(clear);
  });

  // "/" goes to the search box of a list that has one, before the frame takes it to its own.
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const box = document.querySelector("[data-search-form] input[name=q]");
    if (!box) return;
    box.focus(); box.select();
    event.preventDefault(); event.stopImmediatePropagation();
  }, true);

  // On the page of one row j and k go to its neighbours in the list; a column moves one place forward in its chooser.
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || rows().length) return;
    const way = { j: "next", k: "prev" }[event.key];
    if (way) document.querySelector("nav[data-walk] a[rel=" + way + "]")?.click();
  });
  document.addEventListener("click", (event) => {
    const line = event.target.closest("[data-columns] [data-up]")?.closest("li");
    if (!line?.previousElementSibling) return;
    line.parentElement.insertBefore(line, line.previousElementSibling);
    line.querySelector("[data-up]").focus();
  });

  function refreshAll() { document.querySelectorAll("form[data-selection]").forEach(refresh); }
  document.addEventListener("htmx:afterSettle", refreshAll);
  window.addEventListener("pageshow", refreshAll);
})();
