"""What servers and machines say in Polish and Czech."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        skrzynka pełna | skrzynka jest pełna | skrzynka * pełna | skrzynka * przepełniona | przepełniona |
        przekroczony limit | przekroczona pojemność | przekroczono limit | brak miejsca | limit pojemności | quota |
        schránka je plná | plná schránka | schránka * plná | překročena kvóta | překročil kvótu | nedostatek místa |
        kvóta
    """,
    "sender": """
        nadawca odrzucony | nadawca zablokowany | odesílatel odmítnut
    """,
    "spam": """
        jako spam | niechciana poczta | za spam | nevyžádaná pošta
    """,
    "blocked": """
        czarna lista | czarnej liście | zablokowany adres ip | polityka bezpieczeństwa | černá listina |
        zablokována
    """,
    "content": """
        zawiera wirusa | niedozwolony załącznik | obsahuje virus
    """,
    "unknown_user": """
        nieznany użytkownik | użytkownik nieznany | użytkownik nie istnieje | nie ma takiego użytkownika |
        nie ma takiego konta | nie ma takiej skrzynki | brak takiego użytkownika | brak użytkownika |
        nieznany odbiorca | odbiorca nieznany | odbiorca * nie istnieje | odbiorca nie istnieje |
        adres nie istnieje | nieznany adres | nieprawidłowy adres | nie istnieje | nie znaleziono |
        nie został znaleziony | konto nie istnieje | skrzynka nie istnieje | brak takiej skrzynki |
        neznámý uživatel | uživatel neexistuje | uživatel nenalezen | neznámý příjemce | příjemce neexistuje |
        adresa neexistuje | schránka neexistuje | neexistuje | neexistující | nebyla nalezena | nebyl nalezen |
        nenalezen | nepodařilo najít
    """,
    "unknown_domain": """
        nieznana domena | domena nie istnieje | nie znaleziono domeny | neznámá doména | doména neexistuje
    """,
    "disabled": """
        konto nieaktywne | konto zablokowane | konto jest zablokowane | konto zostało zablokowane |
        konto wyłączone | konto niedostępne | konto niedostepne | skrzynka nieaktywna | skrzynka zablokowana |
        nieaktywne | zawieszone | účet zablokován | účet je zablokován | účet zrušen | schránka zrušena |
        deaktivován | zrušena
    """,
    "too_large": """
        wiadomość za duża | zbyt duża | za duży rozmiar | przekracza rozmiar | maksymalny rozmiar |
        zpráva je příliš velká | příliš velká
    """,
    "temporary": """
        przekroczono czas | połączenie odrzucone | časový limit
    """,
    "maybe_policy": """
        odrzucona | odrzucony | odmowa | zabronione | odmítnuto | odmítnut | zamítnuto
    """,
    "maybe_soft": """
        tymczasowo | spróbuj później | chwilowo | dočasně | zkuste později
    """,
}
signs: dict[str, str] = {
    "subjects": """
        niedostarczone | nie dostarczono | niedostarczalna | niedoręczona | nie można dostarczyć |
        błąd dostarczenia | błąd dostarczania | zwrot wiadomości | zwrot poczty | zwrot do nadawcy |
        wiadomość niedostarczona | powiadomienie o niedostarczeniu | nedoručitelné | nedoručitelná | nedoručeno |
        nedoručená | nedoručená zpráva | vrácená zpráva | chyba doručení | selhání doručení
    """,
    "intros": """
        nie może zostać dostarczona | nie mogła zostać dostarczona | nie można dostarczyć |
        nie można było dostarczyć | nie została dostarczona | nie udało się dostarczyć | nie powiodło się |
        została odrzucona | do następujących odbiorców | do następujących adresatów | następujący adres |
        błąd trwały | trwały błąd | nemohla být doručena | nelze doručit | nebylo možné doručit |
        nepodařilo se doručit | nebyla doručena | nezdařilo se | nepodařilo | následujícím příjemcům |
        trvalá chyba | byla odmítnuta
    """,
    "delays": """
        to tylko ostrzeżenie | jedynie ostrzeżenie | nie musisz wysyłać ponownie | nie trzeba ponownie | opóźniona |
        opóźnione | opóźnienie | kolejne próby | będzie ponawiana | będą ponawiane |
        jeszcze nie została dostarczona | pouze varování | není nutné znovu | zpožděna | zpoždění | další pokusy |
        dosud nebyla doručena | zatím nebyla doručena | zpozdil
    """,
    "permanent": """
        błąd trwały | trwały błąd | ostatecznie | trvalá chyba
    """,
    "autoreplies": """
        poza biurem | nieobecność | nieobecny | nieobecna | automatyczna odpowiedź | odpowiedź automatyczna |
        autoodpowiedź | urlop | na urlopie | potwierdzenie przeczytania | potwierdzenie otrzymania | dziękujemy za |
        przeczytano: | mimo kancelář | nepřítomnost | nepřítomen | automatická odpověď | dovolená | dovolené |
        potvrzení o přečtení | přečteno: | děkujeme za
    """,
    "delivered": """
        została dostarczona | pomyślnie dostarczona | została przeczytana | byla doručena | byla úspěšně doručena |
        byla přečtena
    """,
    "originals": """
        oryginalna wiadomość | treść oryginalnej | kopia wiadomości | původní zpráva | kopie zprávy
    """,
}
