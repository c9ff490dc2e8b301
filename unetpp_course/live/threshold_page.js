// The threshold explorer on a page.

import { oneOf, whole } from "./address.js";
import { showOnPage } from "./host.js";
import { AVERAGES, KINDS, render, SCORES } from "./threshold_explorer.js";

const fields = (about) => ({
  threshold: whole(1, 99),
  image: whole(1, about.names.length, 1),
  score: oneOf(SCORES),
  of: oneOf(KINDS),
  average: oneOf(AVERAGES.map(([average]) => average)),
});

showOnPage(fields, render);
