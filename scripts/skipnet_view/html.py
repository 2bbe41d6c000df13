"""Text, links and pictures as HTML: the one place that makes markup of what a file says."""

import re
import xml.etree.ElementTree as ET

from .tables import clean

ESCAPES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"}
# A picture in a directory can be anybody's, so nothing is taken that is not listed here: no scripts, styles, links or
# foreign objects with all that is in them, no handlers, no reference but to what is in the same picture.
ELEMENTS = set("g path rect circle ellipse line polyline polygon text tspan defs use clipPath".split())
ATTRIBUTES = set(
    """id class transform d points x y x1 y1 x2 y2 dx dy cx cy r rx ry width height viewBox href style fill fill-opacity
    fill-rule stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit stroke-dasharray
    opacity clip-path font-family font-size font-weight font-style text-anchor""".split()
)


def escape(text):
    """Text within an element or a quoted attribute."""
    return "".join(ESCAPES.get(letter, letter) for letter in clean(text))


def link(path, text):
    """To a file below the page."""
    address = re.sub(r"[% #?\\]", lambda found: f"%{ord(found[0]):02X}", path)
    return f'<a href="./{escape(address)}">{escape(text)}</a>'


def kept(name, value, prefix):
    """A value with its names behind the prefix; "" for one that is not taken."""
    if name == "id":
        return prefix + value
    if name == "href":
        return f"#{prefix}{value[1:]}" if value.startswith("#") else ""
    rest = re.sub(r"url\(\s*#", "", value)
    if re.search(r"url|script|expression|import|//|[\\@&<]", rest, re.IGNORECASE):
        return ""
    return re.sub(r"url\(\s*#", f"url(#{prefix}", value)


def local(name):
    return name.rsplit("}", 1)[-1]


def element(node, prefix):
    name = local(node.tag)
    if name not in ELEMENTS:
        return ""
    pairs = {
        local(key): kept(local(key), value, prefix) for key, value in node.attrib.items() if local(key) in ATTRIBUTES
    }
    attributes = "".join(f' {key}="{escape(value)}"' for key, value in pairs.items() if value)
    return f"<{name}{attributes}>{inside(node, prefix)}</{name}>"


def inside(node, prefix):
    parts = [escape((node.text or "").strip("\r\n"))]
    for child in node:
        parts += [element(child, prefix), escape((child.tail or "").strip("\r\n "))]
    return "".join(parts)


def picture(path, title, prefix):
    """The SVG of a file as part of a page; None where there is none."""
    try:
        root = ET.parse(path).getroot()
        if local(root.tag) != "svg":
            return None
        body = inside(root, prefix)
    except (OSError, ET.ParseError, ValueError, RecursionError):
        return None
    view = escape(kept("viewBox", root.get("viewBox", ""), prefix))
    return f'<svg viewBox="{view}" role="img" stroke-linejoin="round"><title>{escape(title)}</title>{body}</svg>'
