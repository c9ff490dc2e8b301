// Judges answers to exercises that need no Python, as `check` does: see unetpp_course/checks/values.py. The
// declarations, with every sentence that may be said, are exported from the same files as those of `check`.

// Returns { mark, sentence }, and of a prediction that turned out otherwise also what was `measured`.
export function judge(exercise, answer) {
  if (answer === null || `${answer}`.trim() === "") return { mark: "⬜", sentence: "Not attempted yet." };
  return exercise.kind === "choice" ? judgeChoice(exercise, answer) : judgeNumber(exercise, answer);
}

function judgeChoice({ options, prediction }, answer) {
  const letter = letterOf(options, answer);
  if (!letter) return { mark: "❌", sentence: "Choose one option, by its letter." };
  const { reply, right } = options[letter];
  if (right) return { mark: "✅", sentence: reply };
  if (!prediction) return { mark: "❌", sentence: reply };
  const [key, option] = Object.entries(options).find(([, one]) => one.right);
  return { mark: "🔎", sentence: reply, measured: `${key}) ${option.text}` };
}

// The letter of the option that an answer names, by its letter or by its text.
function letterOf(options, answer) {
  if (typeof answer !== "string") return null;
  const plain = (text) => text.trim().replace(/^[().]+|[().]+$/g, "").toLowerCase();
  const asked = plain(answer);
  return Object.keys(options).find((key) => asked === key || asked === plain(options[key].text));
}

function judgeNumber({ solution, tolerance, mistakes, generic }, answer) {
  const number = Number(answer);
  if (!Number.isFinite(number)) return { mark: "❌", sentence: "The answer should be one number." };
  const close = (other) => Math.abs(number - other) <= tolerance;
  if (close(solution)) return { mark: "✅", sentence: "Right." };
  const known = mistakes.find(([wrong]) => close(wrong));
  return { mark: "❌", sentence: known ? known[1] : `${generic} A ${number > solution ? "smaller" : "larger"} number is expected.` };
}
