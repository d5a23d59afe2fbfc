"""The link that no person sees: whoever follows it reads the source, and so did the clicks of the same breath."""

from __future__ import annotations

POSITION = 32_767
"""Real links stay below."""

snippet = (
    f'{{% if cairn_l{POSITION} %}}<a href="{{{{ cairn_l{POSITION} }}}}" rel="nofollow" tabindex="-1" '
    'aria-hidden="true" style="display:none;mso-hide:all;"></a>{% endif %}'
)
