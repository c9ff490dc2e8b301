// What the theme leaves out for people who use a keyboard or a screen reader.

// The captions of the contents are headings, and a heading has a level.
for (const caption of document.querySelectorAll("p.caption[role=heading]")) caption.setAttribute("aria-level", "2");

// The parameters of a function are laid out as a list of definitions that has no terms.
for (const list of document.querySelectorAll("dt dl")) {
  list.setAttribute("role", "list");
  for (const item of list.children) item.setAttribute("role", "listitem");
}

// What scrolls sideways can be scrolled with the keyboard.
function reachWhatScrolls() {
  for (const part of document.querySelectorAll("pre, div.math, div.table-wrapper")) {
    part.toggleAttribute("tabindex", false);
    if (part.scrollWidth > part.clientWidth) part.tabIndex = 0;
  }
}
addEventListener("load", reachWhatScrolls);
addEventListener("resize", reachWhatScrolls);
