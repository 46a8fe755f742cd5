// Notes of people: n goes to the note box, Ctrl+Enter keeps the note, @ offers people by keyboard.
// A text field with data-mentions="address" is a combobox: arrows choose, Enter or Tab takes, Escape closes.
(function () {
  "use strict";
  const typing = (node) => node instanceof HTMLElement && (node.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(node.tagName));
  const begun = /(^|[^\p{L}\p{N}_.@+-])@([\p{L}\p{N}_.+-]{0,150})$/u;
  let list = null, box = null, active = -1, asked = 0, waiting = 0;

  function close() {
    clearTimeout(waiting);
    asked += 1;
    if (!list) return;
    list.remove();
    list = null;
    active = -1;
    box.setAttribute("aria-expanded", "false");
    box.removeAttribute("aria-activedescendant");
  }

  const options = () => (list ? [...list.children] : []);

  function choose(place) {
    const all = options();
    active = (place + all.length) % all.length;
    all.forEach((option, at) => option.setAttribute("aria-selected", String(at === active)));
    box.setAttribute("aria-activedescendant", all[active].id);
    all[active].scrollIntoView({ block: "nearest" });
  }

  function take(option) {
    const before = box.value.slice(0, box.selectionStart).replace(/@[^@]*$/, "@" + option.dataset.username + " ");
    box.value = before + box.value.slice(box.selectionStart);
    box.setSelectionRange(before.length, before.length);
    box.focus();
    close();
  }

  function show(people, field) {
    close();
    if (!people.length || document.activeElement !== field) return;
    box = field;
    list = document.createElement("ul");
    list.className = "mentions";
    list.id = "mentions";
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "People");
    people.forEach((person, place) => {
      const option = document.createElement("li");
      option.id = "mention-" + place;
      option.setAttribute("role", "option");
      option.dataset.username = person.username;
      option.textContent = person.name ? person.username + " · " + person.name : person.username;
      list.append(option);
    });
    box.after(list);
    box.setAttribute("role", "combobox");
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", "mentions");
    box.setAttribute("aria-expanded", "true");
    choose(0);
  }

  function offer(field) {
    const found = begun.exec(field.value.slice(0, field.selectionStart));
    close();
    if (!found) return;
    const mine = asked;
    waiting = setTimeout(async () => {
      try {
        const answer = await fetch(field.dataset.mentions + "?q=" + encodeURIComponent(found[2]), { headers: { Accept: "application/json" } });
        if (answer.ok && mine === asked) show((await answer.json()).people, field);
      } catch { /* no offers then; the name can be typed */ }
    }, 120);
  }

  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-mentions]")) offer(event.target); });
  document.addEventListener("focusout", (event) => { if (event.target === box) setTimeout(close, 150); });
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest?.("#mentions [role=option]");
    if (option) { event.preventDefault(); take(option); }
  });

  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (field.matches?.("[data-mentions]")) {
      if (list && field === box) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) { choose(active + step); event.preventDefault(); return; }
        if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === "Tab") { take(options()[active]); event.preventDefault(); return; }
        if (event.key === "Escape") { close(); event.preventDefault(); event.stopImmediatePropagation(); return; }
      }
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); field.form.requestSubmit(); }
      return;
    }
    if (event.key !== "n" || event.ctrlKey || event.metaKey || event.altKey || typing(field) || document.querySelector("dialog[open]")) return;
    const note = document.getElementById("note-text");
    if (note) { note.focus(); note.scrollIntoView({ block: "center" }); event.preventDefault(); }
  }, true);

  // A refused note comes back with the reason beside the text; a form that opens gets the focus.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 400 && event.detail.target?.matches?.("[data-notes]")) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  document.addEventListener("htmx:afterSettle", (event) => {
    if (!event.detail.target?.matches?.("[data-notes]")) return;
    const field = document.querySelector("[data-notes] .is-invalid, [data-note-edit] textarea");
    if (field) { field.focus(); field.setSelectionRange(field.value.length, field.value.length); }
  });
})();
