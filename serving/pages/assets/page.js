// What a page does beyond links and forms; without it everything works as well.
"use strict";

// "/" goes to the search, as people know it from elsewhere.
document.addEventListener("keydown", (event) => {
  const at = document.activeElement;
  const writing = at && (at.tagName === "INPUT" || at.tagName === "TEXTAREA" || at.tagName === "SELECT");
  if (event.key === "/" && !writing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("q").focus();
  }
});

// A filter is applied as soon as it is chosen.
for (const field of document.querySelectorAll("form[data-at-once] select")) {
  field.addEventListener("change", () => field.form.requestSubmit());
}

// Only one form of a list is open at a time, and Escape closes it.
for (const list of document.querySelectorAll("[data-one-open]")) {
  list.addEventListener("toggle", (event) => {
    if (!event.target.open) return;
    for (const other of list.querySelectorAll("details[open]")) {
      if (other !== event.target && !other.contains(event.target)) other.open = false;
    }
  }, true);
  list.addEventListener("keydown", (event) => {
    const open = event.key === "Escape" && event.target.closest("details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    }
  });
}

// Nothing is sent twice by a double click.
for (const form of document.querySelectorAll("form[method=post]")) {
  form.addEventListener("submit", () => {
    for (const button of form.querySelectorAll("button")) setTimeout(() => { button.disabled = true; });
  });
}

for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
