"""A report's page as text, and the plots in it."""

import re

from orc_keras.report import page


def written(*paths):
    text = page.write(paths).read_text()
    assert text.startswith("<!DOCTYPE html>") and text.rstrip().endswith("</html>")
    return text


def plots_in(page):
    return set(re.findall(r'<figure id="(\w+)">', page))
