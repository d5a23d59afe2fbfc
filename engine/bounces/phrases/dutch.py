"""What servers and machines say in Dutch."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        postvak is vol | postvak vol | postbus is vol | postbus vol | mailbox is vol | mailbox vol | postvak * vol |
        quotum overschreden | quota overschreden | onvoldoende ruimte | geen ruimte
    """,
    "sender": """
        afzender geweigerd | afzender niet toegestaan
    """,
    "spam": """
        als spam | ongewenste e-mail | ongewenste mail
    """,
    "blocked": """
        zwarte lijst | geblokkeerd | beveiligingsbeleid | reputatie
    """,
    "content": """
        bijlage niet toegestaan | bevat een virus
    """,
    "unknown_user": """
        onbekende gebruiker | gebruiker onbekend | gebruiker bestaat niet | gebruiker niet gevonden |
        onbekende ontvanger | ontvanger onbekend | ontvanger bestaat niet | ontvanger niet gevonden |
        onbekend adres | adres onbekend | adres bestaat niet | adres niet gevonden | ongeldig adres |
        ongeldige ontvanger | mailbox bestaat niet | postvak bestaat niet | postbus bestaat niet | bestaat niet |
        niet gevonden | is niet gevonden | kan niet worden gevonden | niet bekend
    """,
    "unknown_domain": """
        onbekend domein | domein bestaat niet | domein niet gevonden | domein onbekend
    """,
    "disabled": """
        account uitgeschakeld | account is uitgeschakeld | account geblokkeerd | uitgeschakeld | gedeactiveerd |
        niet meer actief | niet langer actief | opgeheven | niet meer in gebruik | niet langer in gebruik
    """,
    "too_large": """
        bericht te groot | bericht is te groot | te groot | maximale grootte
    """,
    "temporary": """
        verbinding geweigerd | niet bereikbaar | time-out
    """,
    "maybe_policy": """
        geweigerd | niet toegestaan | afgewezen
    """,
    "maybe_soft": """
        tijdelijk | probeer het later | later opnieuw
    """,
}
signs: dict[str, str] = {
    "subjects": """
        onbestelbaar | niet bezorgd | niet afgeleverd | bezorging mislukt | aflevering mislukt | bezorgfout |
        kan niet worden bezorgd | retour afzender | niet-bezorgde | aflevering is mislukt |
        kon niet worden afgeleverd | bericht geweigerd
    """,
    "intros": """
        kan niet worden bezorgd | kon niet worden bezorgd | kon niet worden afgeleverd | niet worden afgeleverd |
        kan niet worden afgeleverd | niet bezorgd | niet afgeleverd | bezorging * mislukt | is mislukt | geweigerd |
        niet bij de volgende | aan de volgende | deze geadresseerden of groepen | de volgende adressen |
        permanente fout | onbestelbaar | niet bereikt
    """,
    "delays": """
        alleen een waarschuwing | slechts een waarschuwing | hoeft * niet opnieuw te | vertraagd | vertraging |
        nog niet bezorgd | nog niet afgeleverd | wordt opnieuw geprobeerd | blijft proberen |
        zal het blijven proberen | verdere pogingen
    """,
    "permanent": """
        permanente fout | definitief
    """,
    "autoreplies": """
        niet op kantoor | afwezig | afwezigheid | automatisch antwoord | automatische beantwoording |
        automatisch bericht | op vakantie | vakantie | zwangerschapsverlof | ouderschapsverlof | leesbevestiging |
        gelezen: | ontvangstbevestiging | bedankt voor uw | wij hebben uw
    """,
    "delivered": """
        is bezorgd | succesvol bezorgd | is afgeleverd | is gelezen | leesbevestiging
    """,
    "originals": """
        oorspronkelijk bericht | oorspronkelijke bericht | kopie van het bericht
    """,
}
