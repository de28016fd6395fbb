"""The documentation as a site: `make docs` builds it with Sphinx (docs/adr/0017-site.md)."""

project = "Assay"
html_title = "Assay"
extensions = ["myst_parser"]
myst_heading_anchors = 4
myst_enable_extensions = ["html_image"]
exclude_patterns = ["schema"]
html_theme = "furo"
html_copy_source = False
html_show_sphinx = False
