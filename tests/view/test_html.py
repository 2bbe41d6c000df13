"""What a name, a status, a label or an SVG holds is text of the page, and nothing else."""

import xml.etree.ElementTree as ET

from skipnet_view.html import escape, link, picture

EVIL = """<?xml version="1.0"?>
<!DOCTYPE svg [<!ENTITY inside "evil">]>
<?xml-stylesheet href="http://evil/x.css"?>
<!-- <script>evil()</script> -->
<svg viewBox="0 0 10 10" onload="evil()" xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">
<script>evil()</script><SCRIPT>evil()</SCRIPT><style>@import "http://evil/";</style>
<g onclick="evil()" id="a" style="fill:url(http://evil/)" class="kept"><path d="M0 0" fill="url(#a)"/>
<a href="javascript:evil()"><text>in a link</text></a><a xlink:href="http://evil/">x</a>
<foreignObject><iframe src="http://evil/"></iframe><p>evil</p></foreignObject>
<image href="http://evil/x.png"/><use xlink:href="http://evil/#x"/><use href="#a"/>
<animate attributeName="href" to="evil"/><set attributeName="onload" to="evil()"/>
<text x='1' y="2" fill="ur\\6c(evil)" style="width: expression(evil)">
a &amp; b &#60;script&#62; <![CDATA[<script>x</script>]]></text>
<path d="M1 1" style="background:url('javascript:evil()')"/></g></svg>
"""


def test_escape():
    assert escape('<b a="x">&\x00\x1b\n') == "&lt;b a=&quot;x&quot;&gt;&amp;   "
    assert link("a b?#%\\<x>", "<y>") == '<a href="./a%20b%3F%23%25%5C&lt;x&gt;">&lt;y&gt;</a>'


def test_pictures(tmp_path):
    (tmp_path / "evil.svg").write_text(EVIL, encoding="utf-8")
    text = picture(str(tmp_path / "evil.svg"), "<title>", "p1-")
    root = ET.fromstring(text)
    assert {node.tag for node in root.iter()} == {"svg", "title", "g", "path", "use", "text"}
    for node in root.iter():
        for name, value in node.attrib.items():
            assert not name.startswith("on") and "evil" not in value and (name != "href" or value.startswith("#p1-"))
    assert root.find("g").get("class") == "kept" and root.find("g").get("id") == "p1-a"
    assert root.find("g/path").get("fill") == "url(#p1-a)"
    assert root.find("g/text").text == "a & b <script> <script>x</script>"
    assert root.find("title").text == "<title>"


def test_what_is_no_picture(tmp_path):
    for text in (
        "no picture",
        "<svg><g>",
        "<html/>",
        '<!DOCTYPE s [<!ENTITY e SYSTEM "file:///etc/passwd">]><svg>&e;</svg>',
    ):
        (tmp_path / "x.svg").write_text(text, encoding="utf-8")
        assert picture(str(tmp_path / "x.svg"), "t", "p-") is None or "passwd" not in picture(
            str(tmp_path / "x.svg"), "t", "p-"
        )
    (tmp_path / "x.svg").write_text("<g>" * 20000, encoding="utf-8")
    assert picture(str(tmp_path / "x.svg"), "t", "p-") is None
    assert picture(str(tmp_path / "nothing.svg"), "t", "p-") is None
