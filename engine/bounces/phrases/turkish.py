"""What servers and machines say in Turkish and Hungarian."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        posta kutusu dolu | posta kutusu * dolu | gelen kutusu dolu | kota aşıldı | kotası dolmuş | kotası dolu |
        kota dolu | yetersiz alan | a postafiók megtelt | postaláda megtelt | megtelt | kvóta
    """,
    "spam": """
        spam olarak | istenmeyen posta | önemsiz posta | levélszemét
    """,
    "blocked": """
        kara liste | engellendi | engellenmiş | güvenlik politikası | feketelist
    """,
    "content": """
        virüs içer | vírust tartalmaz
    """,
    "unknown_user": """
        kullanıcı bulunamadı | kullanıcı bilinmiyor | bilinmeyen kullanıcı | böyle bir kullanıcı yok |
        böyle bir kullanıcı | kullanıcı yok | alıcı bulunamadı | bilinmeyen alıcı | geçersiz alıcı |
        adres bulunamadı | geçersiz adres | adresi bulunamadı | bulunamadı | mevcut değil | posta kutusu yok |
        ismeretlen felhasználó | nincs ilyen felhasználó | ismeretlen címzett | nem létezik | nem található
    """,
    "unknown_domain": """
        etki alanı bulunamadı | alan adı bulunamadı | bilinmeyen alan adı | ismeretlen domain
    """,
    "disabled": """
        hesap devre dışı | devre dışı | hesap kapatıldı | hesap askıya | askıya alın | pasif durumda | letiltva |
        megszűnt
    """,
    "too_large": """
        ileti çok büyük | çok büyük | boyut sınırı | túl nagy
    """,
    "temporary": """
        zaman aşımı | bağlantı reddedildi | időtúllépés
    """,
    "maybe_policy": """
        reddedildi | izin verilmiyor | elutasítva | visszautasítva
    """,
    "maybe_soft": """
        geçici | daha sonra tekrar | átmeneti | próbálja később
    """,
}
signs: dict[str, str] = {
    "subjects": """
        teslim edilemedi | teslim edilemeyen | teslim edilememe | iletilemedi | teslimat hatası |
        teslimat başarısız | gönderilemedi | geri döndü | kézbesíthetetlen | sikertelen kézbesítés |
        kézbesítési hiba
    """,
    "intros": """
        teslim edilemedi | iletilemedi | teslim edilememiştir | teslim edilemiyor | gönderilemedi | ulaştırılamadı |
        başarısız oldu | aşağıdaki alıcı | bu alıcılara veya gruplara | reddedildi | kalıcı hata |
        nem kézbesíthető | nem sikerült kézbesíteni | nem lehetett kézbesíteni | kézbesítése sikertelen |
        a következő címzett
    """,
    "delays": """
        yalnızca bir uyarı | sadece bir uyarı | yeniden göndermeniz gerekmez | tekrar göndermenize gerek | gecikti |
        gecikme | gecikmiş | denemeye devam | henüz teslim edilmedi | csak figyelmeztetés | késik | késleltet |
        nem kell újra
    """,
    "permanent": """
        kalıcı hata | végleges
    """,
    "autoreplies": """
        ofis dışında | otomatik yanıt | otomatik cevap | izindeyim | tatilde | okundu: | okundu bilgisi |
        talebiniz | mesajınız için teşekkür | házon kívül | automatikus válasz | szabadság | elolvasva: |
        köszönjük
    """,
    "delivered": """
        teslim edildi | okundu | kézbesítve | elolvasva
    """,
    "originals": """
        özgün ileti | orijinal mesaj | orijinal ileti | eredeti üzenet
    """,
}
