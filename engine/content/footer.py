"""The standard footer of emails, in the language of the content as far as Cairn speaks it."""

from __future__ import annotations

from html import escape

from engine.translation import Translate, choose, translator


def html(language: str) -> str:
    """For the HTML part. `language` is a tag, or empty for English."""
    t = translator(choose([language]))
    return (
        '<div class="cairn-footer" style="max-width:600px;margin:0 auto;padding:24px 16px;text-align:center;'
        'font-family:Helvetica,Arial,sans-serif;font-size:12px;line-height:18px;color:#5b626d;">'
        '{% if postal_address %}<p style="margin:0 0 8px;">{{ postal_address }}</p>{% endif %}'
        '{% if cairn_leaving %}<p style="margin:0;">'
        f'<a href="{{{{ unsubscribe_url }}}}" style="color:#5b626d;">{escape(leave(t))}</a>'
        "{% if preferences_url %} &middot; "
        f'<a href="{{{{ preferences_url }}}}" style="color:#5b626d;">{escape(choices(t))}</a>'
        "{% endif %}</p>{% endif %}</div>"
    )


def text(language: str) -> str:
    """For the plain text part."""
    t = translator(choose([language]))
    return (
        "{% if cairn_leaving or postal_address %}\n-- \n{% endif %}"
        "{% if postal_address %}{{ postal_address }}\n{% endif %}"
        f"{{% if cairn_leaving %}}{leave(t)}: {{{{ unsubscribe_url }}}}\n"
        f"{{% if preferences_url %}}{choices(t)}: {{{{ preferences_url }}}}\n{{% endif %}}{{% endif %}}"
    )


def leave(t: Translate) -> str:
    """The words of the link for unsubscribing."""
    return t("Unsubscribe")


def choices(t: Translate) -> str:
    """The words of the link to the preference page."""
    return t("Preferences")
