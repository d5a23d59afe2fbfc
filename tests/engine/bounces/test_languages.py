"""What mail systems say in 38 languages: of addresses that are not found, of full mailboxes, of delays."""

from __future__ import annotations

import pytest

from engine.bounces import classify

SAID = """
de
  Unzustellbar: Frühling
  Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:
  Die eingegebene E-Mail-Adresse konnte nicht gefunden werden. Überprüfen Sie die E-Mail-Adresse des Empfängers.
  Das Postfach des Empfängers ist voll und kann zurzeit keine Nachrichten annehmen.
  Zustellung verzögert: Frühling
  Die Zustellung an folgende Empfänger oder Gruppen verzögert sich:
fr
  Non remis : Printemps
  Échec de la remise à ces destinataires ou groupes :
  L’adresse de messagerie que vous avez entrée est introuvable.
  La boîte aux lettres du destinataire est pleine et ne peut pas accepter de messages pour le moment.
  Remise retardée : Printemps
  La remise à ces destinataires ou groupes est retardée :
es
  No se puede entregar: Primavera
  No se pudo entregar el mensaje a estos destinatarios o grupos:
  No se encontró la dirección de correo electrónico que especificó.
  El buzón del destinatario está lleno y no puede aceptar mensajes en este momento.
  Entrega retrasada: Primavera
  La entrega a estos destinatarios o grupos se ha retrasado:
it
  Non recapitabile: Primavera
  Recapito non riuscito per questi destinatari o gruppi:
  L'indirizzo di posta elettronica immesso non è stato trovato.
  La cassetta postale del destinatario è piena e non può accettare messaggi.
  Recapito ritardato: Primavera
  Il recapito a questi destinatari o gruppi è stato ritardato:
pt
  Não é possível entregar: Primavera
  Falha na entrega a estes destinatários ou grupos:
  Não foi possível localizar o endereço de email que você inseriu.
  A caixa de correio do destinatário está cheia e não pode aceitar mensagens agora.
  Entrega atrasada: Primavera
  A entrega a estes destinatários ou grupos está atrasada:
nl
  Onbestelbaar: Voorjaar
  De bezorging aan deze geadresseerden of groepen is mislukt:
  Het ingevoerde e-mailadres is niet gevonden.
  Het postvak van de geadresseerde is vol en kan momenteel geen berichten accepteren.
  Bezorging vertraagd: Voorjaar
  De bezorging aan deze geadresseerden of groepen is vertraagd:
sv
  Kan inte levereras: Vår
  Det gick inte att leverera till följande mottagare eller grupper:
  Det gick inte att hitta e-postadressen du angav.
  Mottagarens postlåda är full och kan inte ta emot meddelanden.
  Leverans försenad: Vår
  Leveransen till följande mottagare eller grupper är försenad:
da
  Kan ikke leveres: Forår
  Levering til følgende modtagere eller grupper mislykkedes:
  Den angivne mailadresse blev ikke fundet.
  Modtagerens postkasse er fuld og kan ikke modtage meddelelser lige nu.
  Levering forsinket: Forår
  Levering til følgende modtagere eller grupper er forsinket:
no
  Kan ikke leveres: Vår
  Levering mislyktes for disse mottakerne eller gruppene:
  E-postadressen du skrev inn, ble ikke funnet.
  Postboksen til mottakeren er full og kan ikke godta meldinger nå.
  Levering forsinket: Vår
  Leveringen til disse mottakerne eller gruppene er forsinket:
fi
  Ei voi toimittaa: Kevät
  Toimittaminen näille vastaanottajille tai ryhmille epäonnistui:
  Antamaasi sähköpostiosoitetta ei löytynyt.
  Vastaanottajan postilaatikko on täynnä eikä voi nyt vastaanottaa viestejä.
  Toimitus viivästyy: Kevät
  Toimitus näille vastaanottajille tai ryhmille on viivästynyt:
pl
  Nie można dostarczyć: Wiosna
  Dostarczenie do następujących adresatów lub grup nie powiodło się:
  Nie znaleziono wprowadzonego adresu e-mail.
  Skrzynka pocztowa adresata jest pełna i nie może teraz przyjmować wiadomości.
  Opóźnione dostarczanie: Wiosna
  Dostarczanie do następujących adresatów lub grup jest opóźnione:
cs
  Nedoručitelné: Jaro
  Doručení následujícím příjemcům nebo skupinám se nezdařilo:
  Zadanou e-mailovou adresu se nepodařilo najít.
  Poštovní schránka příjemce je plná a nemůže přijímat zprávy.
  Doručení zpožděno: Jaro
  Doručení těmto příjemcům nebo skupinám se zpozdilo:
sk
  Nedoručiteľné: Jar
  Doručenie týmto príjemcom alebo skupinám zlyhalo:
  Zadaná e-mailová adresa sa nenašla.
  Poštová schránka príjemcu je plná a nemôže prijímať správy.
  Doručenie oneskorené: Jar
  Doručenie týmto príjemcom alebo skupinám je oneskorené:
hu
  Kézbesíthetetlen: Tavasz
  A kézbesítés a következő címzetteknek vagy csoportoknak nem sikerült:
  A megadott e-mail-cím nem található.
  A címzett postaládája megtelt, és jelenleg nem fogad üzeneteket.
  Késleltetett kézbesítés: Tavasz
  A kézbesítés a következő címzetteknek késik:
tr
  Teslim Edilemedi: Bahar
  Bu alıcılara veya gruplara teslim başarısız oldu:
  Girdiğiniz e-posta adresi bulunamadı.
  Alıcının posta kutusu dolu ve şu anda ileti kabul edemiyor.
  Teslim gecikti: Bahar
  Bu alıcılara veya gruplara teslim gecikti:
ru
  Недоставлено: Весна
  Сбой доставки следующим получателям или группам:
  Не удалось найти указанный адрес электронной почты.
  Почтовый ящик получателя переполнен и не может принимать сообщения.
  Задержка доставки: Весна
  Доставка следующим получателям или группам задерживается:
uk
  Не доставлено: Весна
  Не вдалося доставити таким одержувачам або групам:
  Вказану адресу електронної пошти не знайдено.
  Поштова скринька одержувача переповнена і не може приймати повідомлення.
  Доставку затримано: Весна
  Доставку таким одержувачам або групам затримано:
bg
  Недоставимо: Пролет
  Доставката до тези получатели или групи не бе успешна:
  Въведеният имейл адрес не може да бъде намерен.
  Пощенската кутия на получателя е пълна и не може да приема съобщения.
  Забавена доставка: Пролет
  Доставката до тези получатели или групи е забавена:
el
  Ανεπίδοτο: Άνοιξη
  Η παράδοση σε αυτούς τους παραλήπτες ή τις ομάδες απέτυχε:
  Δεν ήταν δυνατή η εύρεση της διεύθυνσης ηλεκτρονικού ταχυδρομείου που εισαγάγατε.
  Το γραμματοκιβώτιο του παραλήπτη είναι πλήρες και δεν μπορεί να δεχτεί μηνύματα.
  Καθυστέρηση παράδοσης: Άνοιξη
  Η παράδοση σε αυτούς τους παραλήπτες καθυστερεί:
ro
  Nelivrabil: Primăvară
  Livrarea la acești destinatari sau grupuri a eșuat:
  Adresa de e-mail introdusă nu a putut fi găsită.
  Cutia poștală a destinatarului este plină și nu poate accepta mesaje.
  Livrare întârziată: Primăvară
  Livrarea către acești destinatari sau grupuri este întârziată:
hr
  Neisporučivo: Proljeće
  Isporuka ovim primateljima ili grupama nije uspjela:
  Adresa e-pošte koju ste unijeli nije pronađena.
  Poštanski sandučić primatelja je pun i ne može primati poruke.
  Isporuka odgođena: Proljeće
  Isporuka ovim primateljima ili grupama je odgođena:
ja
  配信不能: 春
  次の受信者またはグループへの配信に失敗しました:
  入力した電子メール アドレスが見つかりませんでした。
  受信者のメールボックスがいっぱいのため、現在メッセージを受信できません。
  配信遅延: 春
  次の受信者またはグループへの配信が遅れています:
zh
  未送达: 春
  无法将邮件传递给以下收件人或组:
  找不到您输入的电子邮件地址。
  收件人的邮箱已满,目前无法接收邮件。
  传递延迟: 春
  向以下收件人或组的传递已延迟:
zt
  無法傳遞: 春
  無法傳遞給下列收件者或群組:
  找不到您輸入的電子郵件地址。
  收件者的信箱已滿,目前無法接受郵件。
  傳遞延遲: 春
  傳遞給下列收件者或群組已延遲:
ko
  배달되지 않음: 봄
  다음 받는 사람 또는 그룹에게 배달하지 못했습니다:
  입력한 전자 메일 주소를 찾을 수 없습니다.
  받는 사람의 사서함이 꽉 차서 지금 메시지를 받을 수 없습니다.
  배달 지연: 봄
  다음 받는 사람 또는 그룹에 대한 배달이 지연되었습니다:
vi
  Không gửi được: Xuân
  Không gửi được đến những người nhận hoặc nhóm này:
  Không tìm thấy địa chỉ email bạn đã nhập.
  Hộp thư của người nhận đã đầy và không thể nhận thư.
  Gửi chậm: Xuân
  Việc gửi đến những người nhận này bị chậm trễ:
id
  Tidak terkirim: Musim
  Pengiriman ke penerima atau grup berikut gagal:
  Alamat email yang Anda masukkan tidak ditemukan.
  Kotak surat penerima penuh dan tidak dapat menerima pesan.
  Pengiriman tertunda: Musim
  Pengiriman ke penerima berikut tertunda:
th
  ส่งไม่ได้: ฤดู
  การส่งไปยังผู้รับหรือกลุ่มเหล่านี้ล้มเหลว:
  ไม่พบที่อยู่อีเมลที่คุณป้อน
  กล่องจดหมายของผู้รับเต็มและไม่สามารถรับข้อความได้
  การส่งล่าช้า: ฤดู
  การส่งไปยังผู้รับเหล่านี้ล่าช้า:
ar
  تعذر التسليم: الربيع
  فشل التسليم إلى هؤلاء المستلمين أو المجموعات:
  لم يتم العثور على عنوان البريد الإلكتروني الذي أدخلته.
  علبة بريد المستلم ممتلئة ولا يمكنها قبول الرسائل.
  تأخر التسليم: الربيع
  تأخر التسليم إلى هؤلاء المستلمين:
he
  לא ניתן למסירה: אביב
  המסירה לנמענים או לקבוצות אלה נכשלה:
  כתובת הדואר האלקטרוני שהזנת לא נמצאה.
  תיבת הדואר של הנמען מלאה ואינה יכולה לקבל הודעות.
  המסירה מתעכבת: אביב
  המסירה לנמענים אלה מתעכבת:
et
  Kättetoimetamatu: Kevad
  Kohaletoimetamine järgmistele adressaatidele või rühmadele nurjus:
  Sisestatud e-posti aadressi ei leitud.
  Adressaadi postkast on täis ja ei saa praegu kirju vastu võtta.
  Kohaletoimetamine viibib: Kevad
  Kohaletoimetamine järgmistele adressaatidele viibib:
lv
  Nav piegādājams: Pavasaris
  Piegāde šiem adresātiem vai grupām neizdevās:
  Ievadītā e-pasta adrese netika atrasta.
  Adresāta pastkaste ir pilna un nevar pieņemt ziņojumus.
  Piegāde aizkavēta: Pavasaris
  Piegāde šiem adresātiem ir aizkavēta:
lt
  Nepristatyta: Pavasaris
  Pristatyti šiems gavėjams arba grupėms nepavyko:
  Įvestas el. pašto adresas nerastas.
  Gavėjo pašto dėžutė pilna ir negali priimti laiškų.
  Pristatymas vėluoja: Pavasaris
  Pristatymas šiems gavėjams vėluoja:
sl
  Nedostavljivo: Pomlad
  Dostava tem prejemnikom ali skupinam ni uspela:
  Vneseni e-poštni naslov ni bil najden.
  Poštni predal prejemnika je poln in ne more sprejemati sporočil.
  Dostava zakasnjena: Pomlad
  Dostava tem prejemnikom je zakasnjena:
sr
  Неиспоручиво: Пролеће
  Испорука овим примаоцима или групама није успела:
  Адреса е-поште коју сте унели није пронађена.
  Поштанско сандуче примаоца је пуно и не може да прима поруке.
  Испорука одложена: Пролеће
  Испорука овим примаоцима је одложена:
ca
  No es pot lliurar: Primavera
  No s'ha pogut lliurar el missatge a aquests destinataris o grups:
  No s'ha trobat l'adreça de correu electrònic que heu introduït.
  La bústia del destinatari és plena i no pot acceptar missatges.
  Lliurament retardat: Primavera
  El lliurament a aquests destinataris s'ha retardat:
fa
  تحویل داده نشد: بهار
  تحویل به این گیرندگان یا گروه‌ها انجام نشد:
  نشانی ایمیل وارد شده یافت نشد.
  صندوق پستی گیرنده پر است و نمی‌تواند پیام بپذیرد.
  تأخیر در تحویل: بهار
  تحویل به این گیرندگان به تأخیر افتاد:
is
  Ekki hægt að afhenda: Vor
  Afhending til þessara viðtakenda eða hópa mistókst:
  Netfangið sem þú slóst inn fannst ekki.
  Pósthólf viðtakanda er fullt og getur ekki tekið við skeytum.
  Afhending tefst: Vor
  Afhending til þessara viðtakenda tefst:
"""  # subject, opening, what is wrong with the address, with the mailbox; subject and opening of a delay
LINES = SAID.strip().split("\n")
LANGUAGES = {LINES[at]: [line.strip() for line in LINES[at + 1 : at + 7]] for at in range(0, len(LINES), 7)}
SENDERS = ("Microsoft Outlook <MicrosoftExchange329e71ec88ae@dest.example>", "postmaster@dest.example")


def _kind(sender: str, subject: str, opening: str, cause: str) -> tuple[str, list[str | None]]:
    head = f"From: {sender}\nReturn-Path: <>\nTo: b-x@us.example\nSubject: {subject}"
    report = classify(
        f"{head}\nContent-Type: text/plain; charset=utf-8\n\n{opening}\n\nkim@dest.example\n{cause}\n".encode()
    )
    return report.kind, [each.recipient for each in report.verdicts]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("sender", SENDERS)
def test_a_report_in_words_alone_is_read_in_many_languages(language: str, sender: str) -> None:
    subject, opening, unknown, full, delayed, going_on = LANGUAGES[language]
    assert _kind(sender, subject, opening, unknown) == ("hard", ["kim@dest.example"])
    assert _kind(sender, subject, opening, full) == ("soft", ["kim@dest.example"])
    assert _kind(sender, delayed, going_on, "") == ("not_a_bounce", [])


def test_a_mail_sent_back_in_a_language_that_no_table_has_is_a_bounce_of_unknown_cause() -> None:
    said = "Ezin izan da zure mezua entregatu:"
    mail = f"""From: postmaster@dest.example
Return-Path: <>
To: b-x@us.example
Subject: {said}
Content-Type: multipart/mixed; boundary=b

--b

{said}

kim@dest.example

--b
Content-Type: message/rfc822

From: us@us.example
To: kim@dest.example
Subject: Spring

Hello
--b--
"""
    assert [(each.kind, each.recipient) for each in classify(mail.encode()).verdicts] == [("soft", "kim@dest.example")]
    assert classify(mail.replace("To: kim@", "To: other@").encode()).kind == "not_a_bounce"
