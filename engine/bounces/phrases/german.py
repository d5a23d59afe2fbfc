"""What servers and machines say in German."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        postfach voll | postfach ist voll | mailbox voll | mailbox ist voll | speicherplatz | quota überschritten |
        kontingent | postfach des empfängers ist voll | überfüllt | maximale größe des postfachs | zuviele mails |
        zu viele mails | postfachgröße | empfangslimit | posteingang ist voll
    """,
    "sender": """
        absender nicht | absender wurde | absenderadresse | nur absender
    """,
    "spam": """
        als spam | spamverdacht | spam-verdacht | unerwünschte werbung | werbemail
    """,
    "blocked": """
        blockiert | gesperrte ip | sperrliste | schwarze liste | aus sicherheitsgründen | sicherheitsrichtlinie |
        richtlinie
    """,
    "content": """
        unzulässiger anhang | anhang nicht erlaubt | inhalt | virus$
    """,
    "relay": """
        weiterleitung nicht erlaubt | relay nicht
    """,
    "unknown_user": """
        empfänger unbekannt | empfaenger unbekannt | unbekannter empfänger | unbekannter empfaenger |
        empfänger existiert nicht | empfänger nicht gefunden | empfänger nicht bekannt |
        empfängeradresse existiert nicht | empfänger ungültig | ungültiger empfänger | benutzer unbekannt |
        unbekannter benutzer | benutzer existiert nicht | adresse existiert nicht | e-mail-adresse existiert nicht |
        adresse nicht gefunden | adresse wurde nicht gefunden | adresse konnte nicht gefunden |
        adresse ist unbekannt | adresse unbekannt | mailbox existiert nicht | postfach existiert nicht |
        postfach nicht gefunden | postfach unbekannt | konto existiert nicht | konto nicht vorhanden |
        kein postfach | kein benutzer | keinen benutzer | nicht in der domäne gefunden | wurde nicht gefunden |
        nicht gefunden | nicht im * gefunden | existiert nicht | ist hier nicht bekannt | nicht bekannt |
        nicht existent |
        ungültige e-mail-adresse | nicht verfügbar oder existiert | adressat unbekannt
    """,
    "unknown_domain": """
        domain existiert nicht | domäne existiert nicht | unbekannte domain | domain nicht gefunden |
        domäne nicht gefunden | host unbekannt | rechner unbekannt | domainname existiert nicht
    """,
    "disabled": """
        konto deaktiviert | konto wurde deaktiviert | konto gesperrt | konto ist gesperrt | konto wurde gelöscht |
        postfach deaktiviert | postfach ist deaktiviert | postfach gesperrt | postfach ist gesperrt |
        wurde deaktiviert | ist deaktiviert | nicht mehr aktiv | nicht mehr gültig | nicht mehr vorhanden |
        nicht mehr verfügbar | stillgelegt | abgeschaltet
    """,
    "too_large": """
        nachricht zu groß | nachricht ist zu groß | mail zu groß | zu gross | zu groß | größenbeschränkung |
        überschreitet die maximale | überschreitet die zulässige
    """,
    "temporary": """
        zeitüberschreitung | zeit überschritten | verbindung * abgelehnt | nicht erreichbar | keine verbindung
    """,
    "maybe_hard": """
        nicht zustellbar | unzustellbar
    """,
    "maybe_policy": """
        abgelehnt | verweigert | zurückgewiesen | nicht akzeptiert | nicht berechtigt
    """,
    "maybe_soft": """
        später erneut | später noch einmal | vorübergehend | voruebergehend
    """,
}
signs: dict[str, str] = {
    "subjects": """
        unzustellbar | nicht zustellbar | nicht zugestellt | zustellung fehlgeschlagen | zustellfehler |
        zustellbenachrichtigung | fehler bei der zustellung | fehler bei der nachrichtenzustellung | rücksendung |
        unzustellbarkeit | mail konnte nicht | übermittlung fehlgeschlagen | zustellungsfehler |
        fehlgeschlagene zustellung
    """,
    "intros": """
        konnte nicht zugestellt werden | konnte nicht * zugestellt | konnten nicht zugestellt |
        nicht zugestellt werden | kann nicht zugestellt werden | nicht zugestellt |
        fehler bei der nachrichtenzustellung | nicht ausgeliefert | nicht übermittelt | wurde abgelehnt |
        unzustellbar | nicht zustellbar | nicht erreicht | zustellung * fehlgeschlagen | fehlgeschlagen |
        permanenter fehler | an folgende empfänger | folgende adresse | folgenden adressen | nicht erfolgreich
    """,
    "delays": """
        nur eine warnung | warnhinweis | verzögert | weitere zustellversuche | wird weiterhin versucht |
        erneut versucht | brauchen die nachricht nicht erneut | nicht erneut zu senden | noch nicht zugestellt |
        zustellung verzögert
    """,
    "permanent": """
        permanenter fehler | endgültig | fehlgeschlagen | unzustellbar
    """,
    "autoreplies": """
        abwesenheit | abwesend | nicht im büro | nicht im haus | automatische antwort | automatische rückantwort |
        urlaub | elternzeit | mutterschutz | eingangsbestätigung | lesebestätigung | gelesen: |
        empfangsbestätigung | vielen dank für ihre | ihre anfrage | krankheit | bin nicht erreichbar | ausser haus |
        außer haus
    """,
    "delivered": """
        wurde zugestellt | erfolgreich zugestellt | wurde gelesen | empfangsbestätigung | lesebestätigung
    """,
    "originals": """
        ursprüngliche nachricht | originalnachricht | original-nachricht | kopie der nachricht |
        kopie ihrer nachricht | kopfzeilen
    """,
}
