"""What servers and machines say in Arabic, Hebrew, Vietnamese, Thai and Indonesian."""

from __future__ import annotations

reasons: dict[str, str] = {
    "full": """
        صندوق البريد ممتلئ | صندوق * ممتلئ | ممتلئ | تجاوز الحصة | תיבת הדואר מלאה | התיבה מלאה | תיבה * מלאה |
        חריגה מהמכסה | hộp thư * đầy | hộp thư đã đầy | vượt quá hạn mức | vượt quá dung lượng | กล่องจดหมายเต็ม |
        พื้นที่เต็ม | เกินโควต้า | kotak surat penuh | kotak masuk penuh | kuota terlampaui | melebihi kuota |
        ممتلئة | กล่องจดหมาย * เต็ม | kotak surat * penuh | hộp thư * đã đầy
    """,
    "spam": """
        رسالة غير مرغوب | بريد مزعج | דואר זבל | ספאם | thư rác | สแปม | sebagai spam
    """,
    "blocked": """
        القائمة السوداء | רשימה שחורה | danh sách đen | บัญชีดำ | daftar hitam
    """,
    "unknown_user": """
        المستخدم غير موجود | مستخدم غير معروف | العنوان غير موجود | تعذر العثور | لم يتم العثور | غير موجود |
        המשתמש לא קיים | משתמש לא קיים | הכתובת לא נמצאה | הנמען לא נמצא | לא קיימת | לא קיים | לא נמצאה | לא נמצא |
        người dùng không tồn tại | địa chỉ không tồn tại | không tồn tại | không tìm thấy | ไม่พบผู้ใช้ |
        ไม่พบที่อยู่ | ไม่มีผู้ใช้ | ไม่มีอยู่ | ไม่พบ | pengguna tidak ditemukan | alamat tidak ditemukan |
        tidak ditemukan | tidak dikenal | pengguna tidak ada | tidak terdaftar
    """,
    "disabled": """
        تم تعطيل | معطل | הושבת | מושבת | bị vô hiệu hóa | bị khóa | ถูกระงับ | ปิดใช้งาน | dinonaktifkan |
        ditangguhkan
    """,
    "too_large": """
        حجم الرسالة كبير | ההודעה גדולה | quá lớn | ใหญ่เกินไป | terlalu besar
    """,
    "maybe_soft": """
        مؤقت | حاول لاحق | באופן זמני | נסה שוב | tạm thời | thử lại sau | ชั่วคราว | ลองใหม่ | sementara |
        coba lagi
    """,
}
signs: dict[str, str] = {
    "subjects": """
        تعذر تسليم | لم يتم تسليم | فشل تسليم | فشل التسليم | לא ניתן למסור | לא נמסרה | כשל במסירה |
        không thể gửi | không gửi được | chưa gửi được | gửi thất bại | ส่งไม่สำเร็จ | ไม่สามารถส่ง |
        tidak terkirim | gagal terkirim | pengiriman gagal | gagal mengirim | تعذر التسليم | לא ניתנת למסירה |
        לא ניתן למסירה | ส่งไม่ได้ | การส่งล้มเหลว
    """,
    "intros": """
        تعذر تسليم | لم يتم تسليم | لم نتمكن من تسليم | לא ניתן למסור | לא נמסרה | לא הצלחנו למסור |
        ההודעה לא נמסרה | không thể gửi | không được gửi | không gửi được | không thể chuyển | ไม่สามารถส่ง |
        ส่งไม่สำเร็จ | ไม่ได้รับการส่ง | tidak dapat dikirim | tidak terkirim | gagal dikirim |
        tidak dapat mengirim | فشل التسليم | فشل تسليم | تعذر التسليم | נכשלה | נכשל | ล้มเหลว | ส่งไม่ได้ |
        pengiriman * gagal
    """,
    "delays": """
        تأخر تسليم | עיכוב במסירה | bị chậm | bị trì hoãn | ล่าช้า | tertunda | تأخر التسليم | متأخر | מתעכב |
        chậm trễ
    """,
    "autoreplies": """
        رد تلقائي | خارج المكتب | إجازة | מענה אוטומטי | מחוץ למשרד | חופשה | trả lời tự động | nghỉ phép |
        ตอบกลับอัตโนมัติ | ลาพักร้อน | balasan otomatis | di luar kantor | sedang cuti
    """,
    "originals": """
        الرسالة الأصلية | ההודעה המקורית | thư gốc | ข้อความต้นฉบับ | pesan asli
    """,
}
