"""How `make site` builds the site: the notebooks with the outputs that they are committed with, and the library.

The folder that Sphinx reads is the repository's, so that no page is a copy; nothing is fetched and nothing executed.
"""

import sys
from pathlib import Path
from typing import Any

import unetpp_lib

sys.path.insert(0, str(Path(__file__).parent))  # pages.py

project = "U-Net to UNet++, step by step"
author = "the unetpp authors"
copyright = f"2026, {author}. Text: CC BY 4.0. Code: MIT."
release = unetpp_lib.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "pages"]

root_doc = "README"
include_patterns = ["*.md", "docs/*.md", "notebooks/*.ipynb", "notebooks/extra/*.ipynb"]
exclude_patterns = [
    "_site",
    ".*",
    "my_course",
    "runs",
    "data",
    "tests",
    "unetpp_lib",
    "unetpp_course",
]  # not even looked into

nb_execution_mode = "off"
nb_ipywidgets_js: dict[str, Any] = {}  # the explorers show their pictures; their controls need a kernel
nb_render_image_options = {"alt": "a figure; the text beside it says what it shows"}
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 4
myst_heading_slug_func = "pages.jupyterlab_anchor"
suppress_warnings = ["myst.xref_missing"]  # anchors written as HTML are not seen here; check_site.py follows every link

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_maximum_signature_line_length = 60
add_module_names = False

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_sourcelink = False
html_show_sphinx = False
html_static_path = ["site.css", "site.js"]
html_css_files = ["site.css"]
html_js_files = [("site.js", {"defer": "defer"})]
html_math_renderer = "mathml"
