// The pruning explorer on a page.

import { oneOf, whole } from "./address.js";
import { MODES, render } from "./depth_explorer.js";
import { showOnPage } from "./host.js";

const fields = (about) => ({
  depth: whole(1, about.depth),
  image: whole(1, about.names.length, 1),
  threshold: whole(1, 99),
  mode: oneOf(MODES.map(([mode]) => mode)),
});

showOnPage(fields, render);
