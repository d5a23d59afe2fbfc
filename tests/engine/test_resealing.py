"""The key of secrets at rest is changed without losing one of them."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from engine import sealing
from engine.errors import ConfigurationError
from engine.identities import keys, store
from engine.identities.values import House
from engine.resealing import reseal
from engine.settings import Settings
from engine.signing import Signer
from engine.webhooks import endpoints
from tests.engine.content.samples import noon

OLD = Signer(b"secret")
NEW = Signer(b"secret", [b"a key for secrets at rest, and only for that"])
MOVED = Signer(b"another secret", [b"a key for secrets at rest, and only for that"])
RELAY = "smtp://u:hunter2@mx.shop.io:587"


def test_secrets_open_under_an_old_key_until_they_are_sealed_anew(session: Session) -> None:
    form = store.Form(slug="shop", name="", address="a@shop.io", relays=RELAY, selector="s1")
    store.put(session, form, House("https://x", OLD.sealing_keys), "ann", noon)
    keys.stage(session, "shop", "s2", OLD.sealing_keys, "ann", noon)
    secret = endpoints.add(session, "crm", "https://crm.example/", (b"secret",))

    def seen(signer: Signer) -> tuple[str, int, bool]:
        found = store.find(session, "shop", House("https://x", signer.sealing_keys))
        return found.relays, sum(len(each.keys) for each in (found.dkim, found.next) if each), bool(found.broken)

    assert seen(NEW) == (RELAY, 4, False) and seen(MOVED)[2]
    assert reseal(session, NEW.sealing_keys) == {"done": 4}
    assert reseal(session, NEW.sealing_keys) == {"before": 4}
    assert seen(MOVED) == (RELAY, 4, False), "the secret of links may change now"
    assert seen(OLD)[2]
    assert endpoints.add(session, "crm", "https://crm.example/", MOVED.sealing_keys) == secret
    assert reseal(session, OLD.sealing_keys) == {"closed": 4}


def test_a_token_of_the_first_key_stays_as_it_is() -> None:
    made = sealing.seal(["x"], (b"new", b"old"), "tests")
    assert sealing.reseal(made, (b"new", b"old"), "tests") == made
    assert sealing.unseal(made, (b"new", b"old"), "other purpose") is None


def test_a_key_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="CAIRN_SEALING_KEYS"):
        Settings(sealing_keys="short", _env_file=None).keys_to_seal()
