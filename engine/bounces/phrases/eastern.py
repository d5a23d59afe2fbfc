"""What servers and machines say in Ukrainian, Bulgarian, Serbian and Croatian, Slovak, Romanian and Greek."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        скринька переповнена | переповнен | перевищено квоту | квоту перевищено | пощенската кутия е пълна |
        кутията е пълна | препълнена | квотата е | sanduče je puno | sandučić je pun | pretinac je pun | kvota |
        schránka je plná | schránka je preplnená | căsuța * plină | cutia * plină | cota depășită |
        spațiu insuficient | γραμματοκιβώτιο είναι πλήρες | γραμματοκιβώτιο * πλήρες | θυρίδα * πλήρης |
        υπέρβαση ορίου | όριο χώρου | сандуче * пуно | сандуче је пуно | sandučić * pun | pretinac * pun |
        schránka * plná | кутия * пълна | cutia poștală * plină
    """,
    "spam": """
        як спам | е спам | je spam | ako spam | ca spam | ως ανεπιθύμητ | ανεπιθύμητη αλληλογραφία
    """,
    "blocked": """
        чорному списку | чорний список | черния списък | crnoj listi | crna lista | čiernej listine | lista neagră |
        μαύρη λίστα
    """,
    "unknown_user": """
        користувача * не існує | користувач * не існує | користувача не знайдено | одержувача не знайдено |
        невідомий користувач | адреси не існує | адресу не знайдено | не існує | не знайдено |
        потребителят не съществува | непознат потребител | няма такъв потребител | няма такъв | не съществува |
        не е намерен | korisnik ne postoji | nepoznat korisnik | adresa ne postoji | ne postoji | nije pronađen |
        používateľ neexistuje | neznámy používateľ | adresa neexistuje | neexistuje | nebol nájdený |
        nebola nájdená | utilizator inexistent | utilizator necunoscut | utilizatorul nu există | adresa nu există |
        nu există | destinatar necunoscut | destinatar inexistent | nu a fost găsit | inexistent |
        άγνωστος χρήστης | άγνωστος παραλήπτης | ο χρήστης δεν υπάρχει | η διεύθυνση δεν υπάρχει | δεν υπάρχει |
        δεν βρέθηκε | не може да бъде намерен | не е открит | није пронађен | не постоји | непознат |
        nije pronađena | nu a putut fi găsit | nu a fost găsită | nu s-a găsit | nenašl | sa nenašiel |
        εύρεση της διεύθυνσης | δεν ήταν δυνατή η εύρεση
    """,
    "disabled": """
        вимкнено | деактивовано | обліковий запис заблоковано | деактивиран | onemogućen | deaktiviran |
        deaktivovan | deaktivované | dezactivat | suspendat | απενεργοποιη | έχει ανασταλεί
    """,
    "too_large": """
        завеликий | занадто великий | твърде голям | prevelika | príliš veľk | prea mare | πολύ μεγάλο
    """,
    "maybe_soft": """
        тимчасово | спробуйте пізніше | временно | опитайте по-късно | privremeno | pokušajte kasnije | dočasne |
        skúste neskôr | temporar | încercați mai târziu | προσωρινά | δοκιμάστε αργότερα
    """,
}
signs: dict[str, str] = {
    "subjects": """
        не доставлено | недоставлен | помилка доставки | не може бути доставлен | недоставено | неуспешна доставка |
        neisporučen | nije isporučen | neuspješna isporuka | nedoručen | nedoručiteľn | doručenie zlyhalo |
        nu a putut fi livrat | nelivrat | livrare eșuată | eroare de livrare | αδυναμία παράδοσης |
        αποτυχία παράδοσης | δεν παραδόθηκε | μη παραδοθέν | недоставим | неиспоруч | neisporučiv | nelivrabil |
        livrare nereușită | ανεπίδοτ
    """,
    "intros": """
        не може бути доставлен | не вдалося доставити | не було доставлено | не доставлено |
        не можа да бъде доставено | не беше доставено | nije moguće isporučiti | nije isporučena |
        nije dostavljena | nepodarilo sa doručiť | nebola doručená | nebolo možné doručiť | nu a putut fi livrat |
        nu a fost livrat | nu am putut livra | nu s-a putut livra | δεν παραδόθηκε | δεν ήταν δυνατή η παράδοση |
        δεν μπόρεσε να παραδοθεί | αποτυχία παράδοσης | не бе успешна | не беше успешна | није успела |
        није испоручен | nije uspjela | nije uspela | a eșuat | απέτυχε | zlyhalo | zlyhala |
        не можа да се достави
    """,
    "delays": """
        ще не доставлено | все още не е доставено | još nije isporučen | zatiaľ nebola doručená | întârziat |
        încă nu a fost livrat | καθυστέρηση | δεν έχει παραδοθεί ακόμη | затриман | забавен | закъсня | одложена |
        odgođen | odložen | oneskoren | καθυστερεί | затримк
    """,
    "autoreplies": """
        автоматична відповідь | відпустк | автоматичен отговор | отпуск | automatski odgovor | godišnji odmor |
        odsutan | automatická odpoveď | dovolenk | neprítomnosť | răspuns automat | concediu | nu sunt la birou |
        αυτόματη απάντηση | εκτός γραφείου | άδεια
    """,
    "originals": """
        оригінальне повідомлення | оригинално съобщение | izvorna poruka | originalna poruka | pôvodná správa |
        mesajul original | αρχικό μήνυμα
    """,
}
