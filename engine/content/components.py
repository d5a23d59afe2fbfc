"""The MJML components and their attributes (https://documentation.mjml.io). mrml drops what it does not know without
a word, so the lint compares with this table."""

from __future__ import annotations

padding = "padding padding-top padding-right padding-bottom padding-left"
border = "border border-top border-right border-bottom border-left border-radius"
inner = "inner-border inner-border-top inner-border-right inner-border-bottom inner-border-left inner-border-radius"
background = "background-color background-url background-repeat background-size background-position"
background += " background-position-x background-position-y"
font = "color font-family font-size font-style font-weight letter-spacing line-height text-decoration text-transform"
link = "href name rel target title"
icons = "icon-position icon-align icon-width icon-height icon-wrapped-url icon-wrapped-alt"
icons += " icon-unwrapped-url icon-unwrapped-alt"
social = "icon-height icon-padding icon-size text-padding inner-padding border-radius"
anything = frozenset({"*"})

attributes: dict[str, str] = {
    "mjml": "lang dir owa",
    "mj-head": "",
    "mj-body": "background-color width",
    "mj-title": "",
    "mj-preview": "",
    "mj-style": "inline",
    "mj-font": "href name",
    "mj-breakpoint": "width",
    "mj-attributes": "",
    "mj-all": "*",
    "mj-class": "*",
    "mj-raw": "position",
    "mj-wrapper": f"{background} {border} {padding} full-width text-align direction gap",
    "mj-section": f"{background} {border} {padding} full-width text-align direction text-padding",
    "mj-group": "background-color direction vertical-align width",
    "mj-column": f"background-color {border} {inner} inner-background-color {padding} direction vertical-align width",
    "mj-text": f"{font} {padding} align background-color container-background-color height vertical-align",
    "mj-button": f"{font} {padding} {border} {link} align background-color container-background-color height "
    "inner-padding text-align text-padding vertical-align width",
    "mj-image": f"{padding} {border} {link} align alt container-background-color fluid-on-mobile font-size height "
    "max-height sizes src srcset usemap width",
    "mj-divider": f"{padding} border-color border-style border-width container-background-color width align",
    "mj-spacer": f"{padding} border container-background-color height vertical-align width",
    "mj-table": f"{font} {padding} align border cellpadding cellspacing container-background-color role table-layout "
    "vertical-align width",
    "mj-hero": f"{background} {padding} background-height background-width border-radius container-background-color "
    "height inner-background-color inner-padding mode vertical-align width inner-padding-top inner-padding-right "
    "inner-padding-bottom inner-padding-left",
    "mj-navbar": f"{padding} align base-url hamburger ico-align ico-close ico-color ico-font-family ico-font-size "
    "ico-line-height ico-open ico-padding ico-padding-bottom ico-padding-left ico-padding-right ico-padding-top "
    "ico-text-decoration ico-text-transform",
    "mj-navbar-link": f"{font} {padding} {link}",
    "mj-social": f"{font} {padding} {social} align container-background-color mode table-layout vertical-align",
    "mj-social-element": f"{font} {padding} {social} {link} align alt background-color icon-position src srcset sizes "
    "vertical-align",
    "mj-accordion": f"{padding} {icons} border container-background-color font-family",
    "mj-accordion-element": f"{icons} background-color border font-family",
    "mj-accordion-title": f"{padding} background-color color font-family font-size font-weight",
    "mj-accordion-text": f"{padding} background-color color font-family font-size font-weight letter-spacing "
    "line-height",
    "mj-carousel": f"{padding} align background-color border-radius container-background-color icon-width left-icon "
    "right-icon tb-border tb-border-radius tb-hover-border-color tb-selected-border-color tb-width thumbnails",
    "mj-carousel-image": "alt border-radius href rel src target tb-border tb-border-radius thumbnails-src title",
}
common = frozenset({"mj-class", "css-class", "id"})
known: dict[str, frozenset[str]] = {
    name: anything if names == "*" else frozenset(names.split()) | common for name, names in attributes.items()
}

column_names = (
    "mj-text mj-button mj-image mj-divider mj-spacer mj-table mj-navbar mj-social mj-accordion mj-carousel mj-raw"
)
in_column = column_names.split()
children: dict[str, frozenset[str]] = {
    "": frozenset({"mjml"}),
    "mjml": frozenset({"mj-head", "mj-body", "mj-raw"}),
    "mj-head": frozenset(["mj-title", "mj-preview", "mj-style", "mj-font", "mj-breakpoint", "mj-attributes", "mj-raw"]),
    "mj-body": frozenset({"mj-wrapper", "mj-section", "mj-hero", "mj-raw"}),
    "mj-wrapper": frozenset({"mj-section", "mj-hero", "mj-raw"}),
    "mj-section": frozenset({"mj-column", "mj-group", "mj-raw"}),
    "mj-group": frozenset({"mj-column", "mj-raw"}),
    "mj-column": frozenset(in_column),
    "mj-hero": frozenset(in_column),
    "mj-navbar": frozenset({"mj-navbar-link", "mj-raw"}),
    "mj-social": frozenset({"mj-social-element", "mj-raw"}),
    "mj-accordion": frozenset({"mj-accordion-element", "mj-raw"}),
    "mj-accordion-element": frozenset({"mj-accordion-title", "mj-accordion-text", "mj-raw"}),
    "mj-carousel": frozenset({"mj-carousel-image"}),
    "mj-attributes": frozenset(known) - {"mjml", "mj-head", "mj-body"},
}
# Their inside is HTML, copied as it is.
content_names = (
    "mj-title mj-preview mj-style mj-raw mj-text mj-button mj-table mj-navbar-link mj-social-element "
    "mj-accordion-title mj-accordion-text"
)
content = frozenset(content_names.split())
# A Jinja statement may stand between their children: mrml keeps a comment there in its place.
containers = frozenset(["mj-body", "mj-wrapper", "mj-section", "mj-group", "mj-column", "mj-hero"])
void = frozenset(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"])
