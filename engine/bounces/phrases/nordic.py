"""What servers and machines say in Swedish, Danish, Norwegian and Finnish."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        brevlådan är full | inkorgen är full | full brevlåda | postlådan är full | kvoten överskriden |
        överskridit sin kvot | slut på utrymme | postkassen er fuld | indbakken er fuld | postkasse er fuld |
        kvote overskredet | overskredet * kvote | postboksen er full | innboksen er full | postkassen er full |
        kvoten er overskredet | mangler plass | postilaatikko on täynnä | postilaatikko täynnä | kiintiö ylitetty |
        kiintiö ylittyi | tila loppu
    """,
    "sender": """
        avsändaren * avvisad | avsändaradressen | afsenderen * afvist
    """,
    "spam": """
        som skräppost | som spam | skräppost | uønsket mail | søppelpost | roskapostia | roskapostiksi
    """,
    "blocked": """
        svartlistad | blockerad | sortlistet | blokeret | svartelistet | blokkert | estolista | estetty
    """,
    "content": """
        innehåller virus | indeholder virus | inneholder virus | sisältää viruksen
    """,
    "unknown_user": """
        okänd användare | användaren finns inte | användaren är okänd | okänd mottagare | mottagaren finns inte |
        mottagaren hittades inte | mottagaren är okänd | adressen finns inte | adressen hittades inte |
        kunde inte hittas | hittades inte | finns inte | existerar inte | brevlådan finns inte | ukendt bruger |
        brugeren findes ikke | ukendt modtager | modtageren findes ikke | modtageren blev ikke fundet |
        adressen findes ikke | findes ikke | blev ikke fundet | ikke fundet | kunne ikke findes | eksisterer ikke |
        ukjent bruker | brukeren finnes ikke | ukjent mottaker | mottakeren finnes ikke | adressen finnes ikke |
        finnes ikke | ble ikke funnet | ikke funnet | tuntematon käyttäjä | käyttäjää ei ole | käyttäjää ei löydy |
        tuntematon vastaanottaja | vastaanottajaa ei löydy | vastaanottajaa ei löytynyt | osoitetta ei löydy |
        osoitetta ei löytynyt | osoite ei ole | ei löytynyt | ei ole olemassa | virheellinen osoite |
        inte att hitta
    """,
    "unknown_domain": """
        okänd domän | domänen finns inte | domänen hittades inte | ukendt domæne | domænet findes ikke |
        ukjent domene | domenet finnes ikke | tuntematon verkkotunnus | verkkotunnusta ei löydy
    """,
    "disabled": """
        kontot är inaktiverat | kontot är avstängt | kontot är spärrat | inaktiverat | avslutat |
        kontoen er lukket | kontoen er deaktiveret | deaktiveret | lukket | kontoen er deaktivert | deaktivert |
        sperret | tili on suljettu | tili on poistettu | suljettu | poistettu käytöstä
    """,
    "too_large": """
        meddelandet är för stort | för stort | meddelelsen er for stor | beskeden er for stor | for stor |
        viesti on liian suuri | liian suuri
    """,
    "temporary": """
        aikakatkaisu | tidsgräns
    """,
    "maybe_policy": """
        avvisades | nekad | afvist | nægtet | avvist | nektet | hylätty | evätty
    """,
    "maybe_soft": """
        tillfälligt | försök igen senare | midlertidigt | prøv igen senere | midlertidig | prøv igjen senere |
        tilapäinen | tilapäisesti | yritä myöhemmin
    """,
}
signs: dict[str, str] = {
    "subjects": """
        går inte att leverera | ej levererat | kunde inte levereras | olevererbart | leveransfel |
        leveransen misslyckades | returnerad e-post | kan ikke leveres | ikke leveret | leveringsfejl |
        levering mislykkedes | returneret | kunne ikke leveres | kan ikke levere | ikke levert | leveringsfeil |
        levering mislyktes | retur til avsender | toimittaminen epäonnistui | ei voitu toimittaa |
        ei voida toimittaa | toimitusvirhe | palautettu viesti | toimittamatta
    """,
    "intros": """
        kunde inte levereras | har inte levererats | kan inte levereras | gick inte att leverera |
        går inte att leverera | misslyckades | följande mottagare | kunne ikke leveres | er ikke leveret |
        blev ikke leveret | kan ikke leveres | mislykkedes | følgende modtagere | følgende modtager | ikke leveres |
        ble ikke levert | kunne ikke levere | mislyktes | følgende mottakere | følgende mottaker |
        ei voitu toimittaa | ei voida toimittaa | toimittaminen * epäonnistui | epäonnistui |
        seuraaville vastaanottajille | seuraavalle vastaanottajalle | permanent fel | avvisades | afvist |
        hylättiin
    """,
    "delays": """
        endast en varning | bara en varning | behöver inte skicka | fördröjd | försenad | fortsätter att försöka |
        ytterligare försök | har ännu inte levererats | kun en advarsel | behøver ikke sende | forsinket |
        fortsætter med at forsøge | yderligere forsøg | endnu ikke leveret | bare en advarsel |
        trenger ikke å sende | fortsetter å prøve | ennå ikke levert | vain varoitus | ei tarvitse lähettää |
        viivästynyt | viivästyy | yritetään uudelleen | ei ole vielä toimitettu
    """,
    "permanent": """
        permanent fel | permanent fejl | permanent feil | pysyvä virhe
    """,
    "autoreplies": """
        frånvaro | frånvarande | ej på kontoret | inte på kontoret | autosvar | automatiskt svar | semester |
        föräldraledig | läskvitto | läst: | tack för ditt | vi har tagit emot | fravær | fraværende |
        ikke på kontoret | ikke til stede | automatisk svar | ferie | på ferie | barsel | læsekvittering | læst: |
        tak for din | lesebekreftelse | lest: | takk for din | poissa | poissaolo | automaattinen vastaus |
        lomalla | lukukuittaus | luettu: | kiitos viestistä
    """,
    "delivered": """
        har levererats | levererades | har lästs | er blevet leveret | er leveret til | er blevet læst |
        er levert til | ble lest | on toimitettu | on luettu
    """,
    "originals": """
        ursprungligt meddelande | ursprungliga meddelandet | oprindelig meddelelse | oprindelige meddelelse |
        opprinnelig melding | opprinnelige meldingen | alkuperäinen viesti
    """,
}
