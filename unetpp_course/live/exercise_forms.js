// Puts a form under the heading of each exercise that needs no Python. Answers stay in this browser.

import { judge } from "./judge.js";
import { element, newId } from "./shell.js";

const KEY = "unetpp exercises";

function progress() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // a browser may forbid storage; the exercises work without it
  }
}

function remember(number, answer) {
  try {
    localStorage.setItem(KEY, JSON.stringify({ ...progress(), [number]: answer }));
  } catch {
    // as above
  }
}

function choiceField({ options }, name) {
  const list = element("div", { class: "options" });
  for (const [letter, { text }] of Object.entries(options)) {
    const input = element("input", { type: "radio", name, value: letter });
    list.append(element("label", {}, input, ` ${letter}) ${text}`));
  }
  return {
    field: list,
    read: () => list.querySelector("input:checked")?.value ?? null,
    show: (answer) => list.querySelectorAll("input").forEach((input) => { input.checked = input.value === answer; }),
  };
}

function numberField({ unit }, name) {
  const input = element("input", { type: "text", inputmode: "decimal", id: name, autocomplete: "off" });
  const row = element("div", { class: "options" }, element("label", { for: name }, "your number "), input, ` ${unit}`);
  return { field: row, read: () => input.value.replace(",", "."), show: (answer) => { input.value = answer; } };
}

function formOf(number, exercise) {
  const { field, read, show } = (exercise.kind === "choice" ? choiceField : numberField)(exercise, newId("answer"));
  const verdict = element("p", { role: "status", class: "verdict" });
  const tell = (answer) => {
    const { mark, sentence, measured } = judge(exercise, answer);
    verdict.textContent = `${mark} ${sentence}${measured ? ` Measured: ${measured}` : ""}`;
  };
  const form = element("form", { class: "unetpp-exercise", "aria-label": `exercise ${number}` },
    element("fieldset", {}, element("legend", {}, `Answer ${number} here: ${exercise.question}`), field),
    element("button", { type: "submit" }, "check"), verdict);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    remember(number, read());
    tell(read());
  });
  const before = progress()[number];
  if (before) {
    show(before);
    tell(before);
  }
  return form;
}

const declared = JSON.parse(document.getElementById("unetpp-exercises").textContent);
for (const heading of document.querySelectorAll("h2, h3, h4")) {
  const number = heading.textContent.match(/^Exercise (\d+\.\d+) ·/)?.[1];
  if (!declared[number]) continue;
  const section = heading.closest("section") ?? heading.parentElement;
  const code = section.querySelector("div.cell");
  (code ?? section).insertAdjacentElement(code ? "beforebegin" : "beforeend", formOf(number, declared[number]));
}
