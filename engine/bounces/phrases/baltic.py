"""What servers and machines say in Estonian, Latvian, Lithuanian, Slovene, Icelandic, Catalan and Persian."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        postkast on täis | postkast * täis | mahupiirang | pastkaste ir pilna | pastkaste * pilna | kvota ir |
        pašto dėžutė pilna | dėžutė * pilna | viršyta kvota | viršijo kvotą | predal * poln | nabiralnik * poln |
        pósthólf * fullt | bústia * plena | quota superada | صندوق * پر است | صندوق پستی پر | سهمیه
    """,
    "spam": """
        rämpspost | spämmi | surogātpast | mēstule | šlamšt | neželen | ruslpóst | com a spam | com a brossa |
        هرزنامه
    """,
    "blocked": """
        mustas nimekirjas | blokeeri | melnajā sarakstā | bloķēt | juodajame sąraše | užblokuot | črni listi |
        blokiran | svörtum lista | llista negra | bloquejat | لیست سیاه | مسدود
    """,
    "unknown_user": """
        ei leitud | ei leia | tundmatu | ei eksisteeri | puudub | netika atrast | nav atrast | neeksistē |
        nezināms | nepastāv | nerasta | neegzistuoja | nežinomas | nėra tokio | ni bil najden | ni bila najdena |
        ni najden | ne obstaja | neznan | fannst ekki | er ekki til | óþekkt | no s'ha trobat | no existeix |
        desconegut | یافت نشد | وجود ندارد | پیدا نشد | ناشناخته
    """,
    "disabled": """
        suletud | deaktiveeritud | slēgts | deaktivizēt | uždaryta | išjungta | onemogočen | deaktiviran | lokað |
        óvirkt | desactivat | inhabilitat | غیرفعال
    """,
    "too_large": """
        liiga suur | pārāk liel | per didel | prevelik | of stór | massa gran | بیش از حد بزرگ
    """,
    "maybe_soft": """
        ajutiselt | hiljem uuesti | īslaicīg | vēlāk | laikin | vėliau | začasn | kasneje | tímabundið |
        reyndu aftur | temporalment | més tard | موقت | بعدا
    """,
}
signs: dict[str, str] = {
    "subjects": """
        kättetoimetamat | kohaletoimetamine nurjus | ei õnnestunud | nav piegād | nepiegādā | piegāde neizdev |
        nepristatyt | nepavyko pristatyti | nedostavljiv | ni bilo mogoče dostaviti | dostava ni uspela |
        ekki hægt að afhenda | afhending mistókst | no es pot lliurar | no lliurat | error de lliurament |
        no s'ha pogut lliurar | تحویل داده نشد | عدم تحویل
    """,
    "intros": """
        kohaletoimetamine * nurjus | ei saanud toimetada | ei õnnestunud kohale | nurjus | piegāde * neizdev |
        nevarēja piegādāt | neizdevās piegādāt | netika piegādāt | nepavyko pristatyti | pristatyti * nepavyko |
        nebuvo pristatyt | ni uspela | ni bilo mogoče dostaviti | ni bilo dostavljeno | mistókst |
        tókst ekki að afhenda | no s'ha pogut lliurar | no s'han pogut lliurar | تحویل * انجام نشد | تحویل نشد |
        قابل تحویل نیست
    """,
    "delays": """
        viibib | hilineb | aizkavē | vėluoj | uždels | zakasnjen | zamuja | tefst | seinkar | seinkun |
        s'ha retardat | retardat | تأخیر | تاخیر
    """,
    "autoreplies": """
        automaatvastus | olen puhkusel | automātisk | atvaļinājum | automatinis atsak | atostog |
        samodejni odgovor | dopust | odsotnost | sjálfvirkt svar | í fríi | resposta automàtica | de vacances |
        پاسخ خودکار | مرخصی
    """,
    "originals": """
        algne kiri | sākotnējais ziņojums | pradinis laiškas | izvirno sporočilo | upprunalegt | missatge original |
        پیام اصلی
    """,
}
